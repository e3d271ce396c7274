/** A connection as a Mermaid sequence diagram, which GitHub and GitLab draw. */
import type { Ladder, Step } from '../view/ladder.ts';
import { dividersOf, tupleOf } from '../view/ladder.ts';
import { briefOf } from '../view/ladder-text.ts';

/** Lines of a fenced block. */
export function mermaid(ladder: Ladder): string[] {
  const { row, steps } = ladder;
  const [client, server] = tupleOf(row).split(' → ');
  const lines = steps.flatMap((step, i) => [
    ...dividersOf(ladder, i).map((text) => `  Note over C,S: ${safe(text).trim()}`),
    `  ${lineOf(step)}`,
  ]);
  return [
    '```mermaid',
    'sequenceDiagram',
    `  participant C as client ${safe(client!)}`,
    `  participant S as server ${safe(server!)}`,
    ...lines,
    '```',
  ];
}

function lineOf(step: Step): string {
  const text = safe(`${step.when === '' ? '' : `${step.when} `}${briefOf(step)}`);
  const arrow = step.lost ? '-x' : '->>';
  if (step.lane === 'from-client') return `C${arrow}S: ${text}`;
  if (step.lane === 'from-server') return `S${arrow}C: ${text}`;
  return `Note over ${step.lane === 'client' ? 'C' : 'S'}: ${text}`;
}

/** Only characters that Mermaid takes for text, wherever they stand; names come from outside. */
function safe(text: string): string {
  return text.replace(/[^\w .,:|()/+→µ-]/g, ' ').replace(/\b(end|loop|alt|par|opt|rect)\b/gi, '$1\u200b');
}
