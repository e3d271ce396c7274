/** `npm test` takes a few of what is alike, `npm run test:rest` all of it (vitest.config.ts). */
export const THOROUGH = Boolean(process.env.THOROUGH);

/** All, or so many of them, spread over the whole list. */
export function some<T>(all: readonly T[], few: number): readonly T[] {
  if (THOROUGH || all.length <= few) return all;
  return Array.from({ length: few }, (_, i) => all[Math.floor((i * all.length) / few)]!);
}
