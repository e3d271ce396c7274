/** What happened, in at most five sentences. */
import { formatEndpoint } from '../model/address.ts';
import type { CauseGroup } from '../model/result.ts';
import type { World } from './facts/world.ts';
import { verdictsOf } from './roles.ts';
import type { Explained } from './rule.ts';
import { capital, count, list } from './words.ts';

const SENTENCES = 5;

export function tellStory(
  world: World,
  explained: readonly Explained[],
  causes: readonly CauseGroup[],
): string[] {
  const { cases } = world.context;
  if (cases.length === 0) return ['No TCP connection was found in these files.'];
  const story = [overview(world, explained)];
  const told = new Set(explained.filter((e) => e.finding.role === 'verdict').map((e) => e.rule.id));
  for (const cause of causes) {
    if (story.length === SENTENCES) break;
    if (cause.severity !== 'info' && told.has(cause.rule)) story.push(firstSentence(cause.summary));
  }
  return story;
}

/** How many connections, between whom, and how they ended. */
function overview(world: World, explained: readonly Explained[]): string {
  const { cases } = world.context;
  const servers = new Map<string, number>();
  for (const c of cases) {
    const server = formatEndpoint(c.server);
    servers.set(server, (servers.get(server) ?? 0) + 1);
  }
  const [busiest] = [...servers].sort((a, b) => b[1] - a[1])[0]!;
  const to =
    servers.size === 1 ? ` to ${busiest}` : ` to ${servers.size} servers, most of them to ${busiest}`;
  return `${capital(count(cases.length, 'connection'))}${cases.length === 1 && servers.size === 1 ? ` to ${busiest}` : to}: ${ends(cases.length, explained)}.`;
}

function ends(total: number, explained: readonly Explained[]): string {
  const byConnection = new Map<string, Explained[]>();
  for (const e of explained) {
    const known = byConnection.get(e.finding.connection);
    if (known) known.push(e);
    else byConnection.set(e.finding.connection, [e]);
  }
  let [orderly, reset, unanswered] = [0, 0, 0];
  for (const own of byConnection.values()) {
    const verdicts = verdictsOf(own.map((e) => e.finding));
    if (verdicts.close === 'graceful-close') orderly++;
    else if (verdicts.close !== '') reset++;
    else if (verdicts.syn !== '') unanswered++;
  }
  const rest = total - orderly - reset - unanswered;
  const parts = [];
  if (orderly > 0) parts.push(`${orderly} closed in good order`);
  if (reset > 0) parts.push(`${reset} ended by a reset`);
  if (unanswered > 0) parts.push(`${unanswered} whose SYN had no answer, or a late one`);
  if (rest > 0) parts.push(`${rest} whose end is not in the files`);
  return list(parts);
}

/** Up to the first full stop that ends a sentence. */
function firstSentence(text: string): string {
  const match = /^.*?[.!?](?=\s+[A-Z]|$)/s.exec(text);
  return match ? match[0] : text;
}
