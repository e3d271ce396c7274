/** A page has no temporary files: everything stays in memory. */

export function openScratch(): number {
  throw new Error('no temporary files here');
}

export function writeAt(): void {}

export function readAt(): void {}

export function closeScratch(): void {}
