// What docs/scale.md gives to be copied: the manifest is one that Kubernetes takes apart as we mean it, and its command runs its shard.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { folder, put } from './archives.ts';

const YAML = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))';
const HAS_YAML = spawnSync('python3', ['-c', 'import yaml']).status === 0;

it.runIf(HAS_YAML)(
  'the Indexed Job of docs/scale.md gives each pod its shard, and fails when a batch does',
  () => {
    const [, text] = /```yaml\n(.*?)```/s.exec(readFileSync(resolve('docs/scale.md'), 'utf8'))!;
    const { kind, spec } = JSON.parse(
      spawnSync('python3', ['-c', YAML], { input: text!, encoding: 'utf8' }).stdout,
    );
    expect([kind, spec.completionMode, spec.parallelism]).toEqual(['Job', 'Indexed', spec.completions]);
    const [container] = spec.template.spec.containers;
    const volumes = new Set(spec.template.spec.volumes.map((v: { name: string }) => v.name));
    for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
    const bin = folder();
    put(join(bin, 'npx'), '#!/bin/sh\necho "$@"\nexit "$STATUS"\n');
    chmodSync(join(bin, 'npx'), 0o755);
    const pod = (index: number, status: number) => {
      const env = {
        PATH: `${bin}:${process.env.PATH}`,
        JOB_COMPLETION_INDEX: `${index}`,
        STATUS: `${status}`,
      };
      const [program, ...args] = [...container.command, ...container.args];
      const ended = spawnSync(program, args, { env, encoding: 'utf8' });
      return [ended.stdout.trim(), ended.status];
    };
    const words = (part: number) =>
      `tcpautopsy batch /captures -o /captures-out --shard ${part}/${spec.completions}`;
    expect(pod(0, 0)).toEqual([words(1), 0]);
    // some captures are broken: that is no failure of the pod
    expect(pod(spec.completions - 1, 2)).toEqual([words(spec.completions), 0]);
    expect(pod(0, 74)[1]).toBe(1);
  },
);
