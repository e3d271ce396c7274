/** gzip through the page's DecompressionStream, which knows one member and calls what follows it damage. */
import type { GzipEnd } from '../types.ts';

export async function* inflate(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, GzipEnd> {
  let at = 0;
  const source = blocks[Symbol.asyncIterator]();
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) return controller.close();
      at += value.length;
      controller.enqueue(value.slice());
    },
  });
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    return null;
  } catch (error) {
    const { message } = error as Error;
    return { fault: /end|truncat/i.test(message) ? 'truncated' : 'damaged', at, message };
  } finally {
    await reader.cancel().catch(() => undefined);
    await source.return?.();
  }
}
