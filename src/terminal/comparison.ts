/** What `tcpautopsy compare` prints. */
import type { Change, Comparison } from '../compare/compare.ts';
import { CHANGE_NAMES, changeText, rateText, verdictOf } from '../compare/words.ts';
import { counted } from '../view/words.ts';
import { Page, type Terminal } from './sheet.ts';

const STYLES: Record<Change, 'red' | 'green' | 'dim'> = {
  new: 'red',
  more: 'red',
  same: 'dim',
  fewer: 'green',
  gone: 'green',
};
const SERVERS = 10;

export function renderComparison(comparison: Comparison, terminal: Terminal): string {
  const page = new Page(terminal);
  const { before, after, causes, servers } = comparison;
  page.heading('Compared');
  page.text(verdictOf(comparison));
  page.item('before:', `${before.name}, ${counted(before.connections, 'connection')}`, 2);
  page.item('after:', `${after.name}, ${counted(after.connections, 'connection')}`, 2);
  if (causes.length > 0) page.heading('Causes');
  for (const cause of causes) {
    const name = `${CHANGE_NAMES[cause.change]}: `;
    page.text(
      cause.rule === '' ? cause.title : `${cause.title} (${cause.rule})`,
      0,
      page.paint(name, STYLES[cause.change]),
      name.length,
    );
    page.text(changeText(cause));
  }
  if (servers.length > 0) page.heading('Servers with affected connections');
  for (const server of servers.slice(0, SERVERS))
    page.item(server.server, `before ${rateText(server.before)}, after ${rateText(server.after)}`, 2);
  if (servers.length > SERVERS) page.text(`and ${counted(servers.length - SERVERS, 'other')}`);
  return page.toString();
}
