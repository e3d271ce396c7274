import { expect, test } from 'vitest';
import { shortNames } from '../../src/view/short-names.ts';
import { exp1Result } from '../tables/fixture.ts';

const base = exp1Result();
const withInputs = (...names: string[]) => ({
  ...base,
  command: `tcpautopsy analyze ${names.join(' ')}`,
  story: [`seen in ${names[0]}, not in /x/${names[0]}`],
  inputs: names.map((name) => ({ ...base.inputs[0]!, name })),
});

test('the folder that all sources share is left out everywhere but in the command', () => {
  const { result, folder } = shortNames(withInputs('a.b/c/one.pcap', 'a.b/c/d/two.pcap#1', 'standard input'));
  expect(folder).toBe('a.b/c/');
  expect(result.inputs.map((i) => i.name)).toEqual(['one.pcap', 'd/two.pcap#1', 'standard input']);
  expect(result.story).toEqual(['seen in one.pcap, not in /x/a.b/c/one.pcap']);
  expect(result.command).toContain('a.b/c/one.pcap');
});

test.each([
  [['one.pcap', 'two.pcap']],
  [['a/one.pcap', 'b/two.pcap']],
  [['/one.pcap', 'a/two.pcap']],
  [['standard input']],
])('%j share none', (names) => {
  const original = withInputs(...names);
  expect(shortNames(original)).toEqual({ result: original, folder: '' });
});
