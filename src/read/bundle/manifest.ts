/** manifest.json of a capture bundle (docs/bundle.md), as far as the analysis uses it. */
import { z } from 'zod';

const anchor = z.object({
  when: z.string(),
  method: z.string(),
  event_ns: z.string().regex(/^\d{1,19}$/),
  realtime_ns: z.string().regex(/^\d{1,19}$/),
  uncertainty_ns: z.union([z.string(), z.number()]).transform(Number),
});

const manifestSchema = z.object({
  schema: z.literal('tcpautopsy-capture/1'),
  host: z.string().default(''),
  netns: z.number().nullish(),
  kernel: z.object({ release: z.string() }).optional(),
  filters: z.object({ sockets: z.string().default('') }).optional(),
  clock: z.object({ anchors: z.array(anchor).default([]) }).optional(),
  probes: z
    .object({
      attached: z.array(z.object({ probe: z.string(), piece: z.string() })).default([]),
      missing: z.array(z.object({ piece: z.string(), why: z.string() })).default([]),
    })
    .nullish(),
  events: z
    .object({
      emitted: z.number().nullish(),
      lost: z.number().nullish(),
      misses_of_tracepoints_counted: z.boolean().nullish(),
      recursion_misses: z.object({ total: z.number() }).nullish(),
    })
    .nullish(),
  packets: z
    .object({ dropped_by_kernel: z.number().nullish(), dropped_by_interface: z.number().nullish() })
    .nullish(),
  files: z.record(z.string(), z.number()).nullish(),
  trigger: z
    .object({ by: z.string(), what: z.string(), at: z.object({ realtime_s: z.number() }).nullish() })
    .nullish(),
  problems: z.array(z.string()).default([]),
  ended: z.object({ how: z.string(), by: z.string() }).nullish(),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** The manifest, or why it cannot be read. */
export function parseManifest(text: string): Manifest | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `is not whole JSON: ${(error as Error).message}`;
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  return `${issue.path.join('.') || 'manifest'}: ${issue.message}`;
}

/**
 * Nanoseconds from the events' clock to CLOCK_REALTIME, and how far that may be off. The tracer's own anchor is the
 * sharpest; it holds for the whole run unless the clock was stepped.
 */
export function clockOffset(manifest: Manifest): { offset: bigint; uncertainty: number } | null {
  const anchors = (manifest.clock?.anchors ?? []).map((a) => ({
    method: a.method,
    offset: BigInt(a.realtime_ns) - BigInt(a.event_ns),
    uncertainty: a.uncertainty_ns,
  }));
  const best = anchors.find((a) => a.method === 'tracer') ?? anchors[0];
  if (!best) return null;
  return { offset: best.offset, uncertainty: best.uncertainty };
}

/** Slewing moves both clocks alike: what is more than this, ns, is a step. */
const STEP = 1_000_000;

/** How far CLOCK_REALTIME was stepped while it was recorded, ns; null: it was not. */
export function clockStep({ clock }: Manifest): number | null {
  const anchors = clock?.anchors ?? [];
  const offset = (a: (typeof anchors)[number]) => BigInt(a.realtime_ns) - BigInt(a.event_ns);
  const [first] = anchors;
  for (const a of anchors) {
    const step = Number(offset(a) - offset(first!));
    if (Math.abs(step) > first!.uncertainty_ns + a.uncertainty_ns + STEP) return step;
  }
  return null;
}

/**
 * From when to when tcpdump was listening and missed nothing, ns of CLOCK_REALTIME: anchors other than
 * the tracer's are taken after it has said so and before it is told to end. null where it lost packets, filled its file, or nobody says.
 */
export function packetWindow(manifest: Manifest): { from: bigint; to: bigint } | null {
  const { ended, packets, clock } = manifest;
  if (clockStep(manifest) !== null) return null;
  if (!ended || ended.how === 'failed' || ended.by === 'max-size' || packets?.dropped_by_kernel !== 0)
    return null;
  const at = (when: string) => clock?.anchors.find((a) => a.when === when && a.method !== 'tracer');
  const [from, to] = [at('start'), at('stop')];
  if (!from || !to) return null;
  // `date` is read between its exec and its exit; other clocks are only as good as they say
  const slack = ({ method, uncertainty_ns }: typeof from) =>
    method === 'date' ? 0n : BigInt(Math.ceil(uncertainty_ns));
  return { from: BigInt(from.realtime_ns) + slack(from), to: BigInt(to.realtime_ns) - slack(to) };
}

/** reasons.json: reason numbers to names, as the captured kernel has them (G15). */
export interface Reasons {
  drop: ReadonlyMap<number, string>;
  reset: ReadonlyMap<number, string>;
}

const names = z.object({ names: z.record(z.string(), z.string()) }).optional();
const reasonsSchema = z.object({ drop: names, reset: names });

export const NO_REASONS: Reasons = { drop: new Map(), reset: new Map() };

/** The tables, or why they cannot be read: then numbers stay numbers, never decoded with another kernel's table. */
export function parseReasons(text: string): Reasons | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `is not whole JSON: ${(error as Error).message}`;
  }
  const parsed = reasonsSchema.safeParse(value);
  if (!parsed.success) return parsed.error.issues[0]!.message;
  const table = (part: { names: Record<string, string> } | undefined) =>
    new Map(Object.entries(part?.names ?? {}).map(([code, name]) => [Number(code), name]));
  return { drop: table(parsed.data.drop), reset: table(parsed.data.reset) };
}
