// Wrong usage is told and nothing is written; no root needed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SCRIPT, temporary } from './kit.ts';

const run = (...args: string[]) => spawnSync(SCRIPT, args, { encoding: 'utf8' });

describe('options of the capture', () => {
  it.each([
    [['--port', '0']],
    [['--port', '65536']],
    [['--port', '80;reboot']],
    [['--host', 'example.org']],
    [['--host', '10.0.0.256']],
    [['--host', '1:2:3:4:5:6:7:8:9']],
    [['--host', 'fe80:::1']],
    [['--duration', '0']],
    [['--max-size', '12X']],
    [['--max-size', '100K']],
    [['--ring', '10']],
    [['--ring', '30s']],
    [['--ring', '900M']],
    [['--trigger', 'ListenOverflows+1']],
    [['--ring', '10m', '--trigger', 'NoSuchCounter+1']],
    [['--ring', '10m', '--trigger', 'resets']],
    [['--ring', '10m', '--trigger', 'resets+1;reboot']],
    [['--ring', '10m', '--', 'true']],
    [['--what']],
    [['--']],
  ])('refuses %j', (args) => {
    const dir = join(temporary(), 'b');
    const { status, stderr } = run('-o', dir, ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^tcpautopsy-capture: .+\nTry: tcpautopsy-capture --help\n$/);
    expect(existsSync(dir)).toBe(false);
  });

  it('wants a folder', () => {
    expect(run('--port', '80').status).toBe(1);
  });

  it('prints its usage and its version', () => {
    expect(run('--help')).toMatchObject({ status: 0, stderr: '' });
    expect(run('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
