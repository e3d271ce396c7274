import { tellingOf, toldText } from '../hosts/counted.ts';
import type { Answerer } from './index.ts';

const SHOWN = 12;

/** Raised by counters: those that stand out, in the order of what they would explain. */
export const tellingCounters: Answerer = (world) =>
  world.counters.flatMap((series) => {
    // those of a capture are held against its connections, one by one
    if (series.source.format === 'bundle-counters') return [];
    const all = tellingOf(series);
    if (all.length === 0) return [];
    const rose = all.some((t) => t.rise !== null);
    const more = all.length > SHOWN ? ` ${all.length - SHOWN} more are not 0.` : '';
    return {
      question: `Which counters stand out in ${series.source.name}?`,
      answer: `${rose ? 'What rose between its readings' : 'Totals since boot, of any time'}: ${all.slice(0, SHOWN).map(toldText).join('; ')}.${more}`,
    };
  });
