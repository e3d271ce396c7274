/** Whose network namespace a dropped packet names. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

test('a packet dropped on its way names no namespace of an end: the server of the incident is one', async () => {
  const folder = path.resolve(import.meta.dirname, '../../samples/bundle/accept-queue-incident/6.18');
  const { story, causes } = await analyze([folder]);
  expect(story.join(' ')).toContain('10.77.0.2:8080');
  expect(JSON.stringify([story, causes])).not.toContain('netns');
});
