/** xz files, any number of streams, through xz-embedded in WebAssembly. */
import type { Damage, Packed } from './compression.ts';

/** What xz-embedded says by number (enum xz_ret), where it is worth its own word. */
const FAULTS: Readonly<Record<string, [code: string, message: string]>> = {
  4: ['xz-unsupported', 'needs more than 64 MB of memory to unpack; unpack it first (xz -d)'],
  6: ['xz-unsupported', 'uses a filter or a checksum of xz that is not supported; unpack it first (xz -d)'],
  8: ['xz-truncated', 'the xz stream is cut short; what was there is read'],
};

/** Codes: `xz-truncated`, `xz-damaged`, `xz-unsupported`. */
export async function* unxz(packed: Packed, damage: Damage): AsyncGenerator<Uint8Array, void> {
  const { default: xz } = await import('xz-decompress');
  const chunks = packed.chunks(damage);
  const input = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    // No chunk is asked for ahead of time: it would overwrite the one before.
    { highWaterMark: 0 },
  );
  try {
    for await (const chunk of new xz.XzReadableStream(input)) yield chunk;
  } catch (error) {
    const { message } = error as Error;
    const fault = FAULTS[/error code (\d+)$/.exec(message)?.[1] ?? ''];
    const [code, what] = fault ?? ['xz-damaged', 'the xz stream is damaged; what came before is read'];
    damage(code, packed.consumed, what);
  } finally {
    await chunks.return();
  }
}
