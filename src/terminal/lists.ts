/** What `tcpautopsy rules` and `formats` print. */
import { witnesses } from '../explain/catalogue.ts';
import type { Rule } from '../explain/rule.ts';
import type { FormatInfo } from '../read/importer.ts';
import { Page, type Terminal } from './sheet.ts';

/** `full`: all that is known of each rule; else one line a rule. */
export function renderRules(rules: readonly Rule[], terminal: Terminal, full: boolean): string {
  const page = new Page(terminal);
  const widest = rules.reduce((n, r) => Math.max(n, r.id.length), 0);
  let group = '';
  for (const rule of rules) {
    if (full) {
      page.lines([`${page.paint(rule.id, 'bold')}  ${rule.title}`, '']);
      page.item('group:', rule.group, 2);
      page.item('severity:', rule.severity, 2);
      page.item('condition:', rule.condition, 2);
      page.item('reference:', rule.reference, 2);
      for (const s of rule.signatures) {
        page.item(`${s.claims}:`, `${s.sign} (${witnesses(s)}; kernels: ${s.kernels})`, 2);
      }
      continue;
    }
    if (rule.group !== group) page.heading(rule.group);
    group = rule.group;
    page.text(rule.title, 2, page.paint(rule.id.padEnd(widest + 2), 'cyan'), widest + 2);
  }
  return page.toString();
}

export function renderFormats(formats: readonly FormatInfo[], terminal: Terminal): string {
  const page = new Page(terminal);
  for (const [i, f] of formats.entries()) {
    if (i > 0) page.blank();
    page.lines([`${page.paint(f.id, 'bold')}  ${f.title}`]);
    page.item('clock:', f.clock, 2);
    page.item('proves:', f.proves, 2);
    page.item('cannot:', f.cannotProve, 2);
    page.item('looks like:', f.example, 2);
  }
  return page.toString();
}
