import { formatEndpoint } from '../../model/address.ts';
import { ODD_STATES } from '../mask.ts';
import { list } from '../words.ts';
import type { Answerer } from './index.ts';

const SHOWN = 5;

/** Raised by steps that the state machine needs and no line shows (kernel-notes G17). */
export const lostLines: Answerer = (world) => {
  const gaps = [...world.showing(ODD_STATES)].flatMap((f) =>
    f.case.lives.flatMap((life) =>
      (life?.missing ?? []).map(
        (gap) =>
          `${gap.from} → ${gap.to} of ${formatEndpoint(life!.local)} (${world.source(life!.source).name})`,
      ),
    ),
  );
  if (gaps.length === 0) return null;
  const shown = gaps.slice(0, SHOWN);
  if (gaps.length > SHOWN) shown.push(`${gaps.length - SHOWN} more`);
  return {
    question: 'Why does the log of state events lack a line?',
    answer:
      `No line shows ${list(shown)}, although the socket must have taken that step. ` +
      'Most likely the tracer missed it: a BPF program attached through perf is skipped while another BPF program runs on the same CPU, and no "lost events" line says so. ' +
      'That is likely where several tracers run at once (tcpstates, tcptracer and tcpdrop); a full buffer is the other possibility. ' +
      "The duration on the next line then spans both states. The program's recursion_misses (in its fdinfo) counts such losses.",
  };
};
