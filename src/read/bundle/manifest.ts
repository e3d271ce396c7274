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
