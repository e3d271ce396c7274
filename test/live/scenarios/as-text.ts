/** A bundle of the recorder as the text that bpftrace wrote before: of lines a part is easily taken. */
import { Diagnostics } from '../../../src/model/diagnostic.ts';
import { disk } from '../../../src/platform/files.ts';
import { readRecorder, recorderManifest } from '../../../src/read/bundle/recorder.ts';

/** Its files, with events.jsonl in place of events.bin and a manifest that says what events.bin said of the recording. */
export async function asText(folder: string, files: Map<string, Buffer>): Promise<Map<string, Buffer>> {
  const recorder = (await readRecorder(folder, disk, new Diagnostics()))!;
  const { head, statuses } = recorder.records;
  const lines: string[] = [];
  const line = (data: string) => lines.push(JSON.stringify({ type: 'printf', data }));
  const { event_ns, realtime_ns } = statuses[0]!.anchor;
  line(`begin t=${event_ns} real=${realtime_ns.slice(0, -9)}.${realtime_ns.slice(-9, -3)}`);
  for (let n = 0; n < recorder.records.count; n++) {
    const keys = recorder.records.at(n);
    const { comm, ...rest } = Object.fromEntries(keys.entries());
    line(
      `${keys.kind} ${Object.entries(rest)
        .map((pair) => pair.join('='))
        .join(' ')} comm=${comm}`,
    );
  }
  line(`end t=${statuses.at(-1)!.t}`);
  const own = JSON.parse(files.get('manifest.json')!.toString());
  const said = recorderManifest(recorder, null)!;
  const anchors = [{ when: 'start', method: 'tracer', ...statuses[0]!.anchor }, ...own.clock.anchors];
  const manifest = { ...own, clock: { ...own.clock, anchors }, probes: said.probes, events: said.events };
  return new Map([
    ...[...files].filter(([name]) => name !== 'events.bin'),
    ['events.jsonl', Buffer.from(`${lines.join('\n')}\n`)],
    ['manifest.json', Buffer.from(JSON.stringify(manifest))],
    ['reasons.json', Buffer.from(JSON.stringify(head!.reasons))],
  ]);
}
