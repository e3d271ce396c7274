#!/usr/bin/env python3
"""Runs `analyze` on every reduction of what run.py left, and counts how it stands to the truth: judge.py DIR [--json FILE] [--only BATCH] [-- COMMAND...]

true: the verdict is one of the true ones; listed: a true one is among the alternatives; nothing: no verdict, or one that claims nothing;
wrong possible / wrong inferred: another cause; FALSE PROOF: another cause, proved (also in a group, or of a connection, that the truth is silent of).
Exit status 1 when there is a false proof."""
import argparse, collections, csv, json, os, subprocess, sys, tempfile
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from reduce import reductions

GROUPS = {'close': 'close_rule', 'syn': 'syn_rule', 'fin-wait2': 'fin_wait2_rule', 'stuck': 'stuck_rule'}
CLAIM_NOTHING = {'unexplained-reset', 'unanswered-syn', 'snapshot-too-late'}
KINDS = ['true', 'listed', 'nothing', 'wrong possible', 'wrong inferred', 'FALSE PROOF']
# What the programs do not decide: how soon the peer's ACK, FIN or RST came. The kernel's or the wire's own numbers say it.
SAYS_THE_CLOCK = {'fin-wait1-aborted', 'fin-with-ack', 'fin-wait2-in-minisock', 'delayed-ack-of-fin', 'half-close', 'simultaneous-close', 'long-fin-wait2'}


def rows(path):
    try:
        return list(csv.DictReader(open(path, newline='')))
    except OSError:
        return []


def analyze(command, inputs):
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([*command, 'analyze', *inputs, '-o', f'{out}/r', '--no-html'], capture_output=True, text=True)
        if done.returncode not in (0, 2, 3):
            raise SystemExit(f'{inputs}: exit {done.returncode}\n{done.stderr}')
        return rows(f'{out}/r/findings.csv'), rows(f'{out}/r/connections.csv')


def by_ports(row):
    return tuple(sorted((int(row['client_port'] or 0), int(row['server_port'] or 0))))


class Truth:
    def __init__(self, entries):
        self.known, self.any = collections.defaultdict(list), collections.defaultdict(list)
        for e in entries:
            if 'failed' in e:
                continue
            key = tuple(sorted((e['client_port'], e['server_port'])))
            (self.known[key] if e['client_port'] else self.any[e['server_port']]).append(e)
        self.names = {e['server_port'] // 10: e['name'] for e in entries if 'failed' not in e}

    def of(self, key):
        return self.known.get(key) or next((self.any[p] for p in key if p in self.any), [])


def claims(found, conns):
    """ports → group → [(rule, confidence, side, alternatives)] of the verdicts, of findings and of rows."""
    said = collections.defaultdict(lambda: collections.defaultdict(list))
    for f in found:
        if f['role'] == 'verdict':
            said[by_ports(f)][f['group']].append((f['rule'], f['confidence'], f['side'], f['alternatives'].split()))
    for c in conns:
        for group, column in GROUPS.items():
            have = said[by_ports(c)][group]
            if c.get(column) and all(c[column] != h[0] for h in have):
                sure = c.get('close_confidence') if group == 'close' else None
                have.append((c[column], sure or 'possible', None, []))
    return said


def worst(group, said, entry):
    """The kind of the worst claim of one group of one connection, and what it was."""
    ok = set(entry['rule']) if entry else SAYS_THE_CLOCK if group == 'fin-wait2' else set()
    kinds = []
    for rule, sure, side, others in said:
        if rule in ok and sure == 'proved' and entry and entry['side'] and side in ('client', 'server') and side != entry['side'] and len(ok) == 1:
            kinds.append(('FALSE PROOF', f"{rule} of the {side}"))
        elif rule in ok:
            kinds.append(('true', rule))
        elif rule in CLAIM_NOTHING:
            kinds.append(('listed' if ok & set(others) else 'nothing', rule))
        elif sure == 'proved':
            kinds.append(('FALSE PROOF', rule))
        elif entry:
            kinds.append(('listed' if ok & set(others) else f'wrong {sure}', rule))
    if not kinds:
        return ('true' if '-' in ok else 'nothing', '')
    return max(kinds, key=lambda k: (k[0] == 'FALSE PROOF', k[0] == 'true', KINDS.index(k[0])))


def judge(truth, found, conns):
    """(kind, what, scenario, group, ports, true rules) of every group of every connection of which something is said, or known."""
    said = claims(found, conns)
    for key in set(said) | set(truth.known):
        known = truth.of(key)
        groups = {e['group'] for e in known}
        for group in groups | set(said.get(key, {})):
            entries = [e for e in known if e['group'] == group]
            entry = dict(entries[0], rule=[r for e in entries for r in e['rule']], side=entries[0]['side'] if len(entries) == 1 else None) if entries else None
            kind, what = worst(group, said.get(key, {}).get(group, []), entry)
            if entry or kind == 'FALSE PROOF':
                name = entry['name'] if entry else truth.names.get(max(p // 10 for p in key if p < 30000) if any(p < 30000 for p in key) else 0, '?')
                yield kind, what, name, group, key, '/'.join(entry['rule']) if entry else 'nothing of this group'


def main():
    argv = sys.argv[1:]
    command = argv[argv.index('--') + 1:] if '--' in argv else ['node', f'{HERE}/../../../dist/cli.js']
    a = argparse.ArgumentParser()
    a.add_argument('dir')
    a.add_argument('--json')
    a.add_argument('--only')
    a.add_argument('--wrong', action='store_true', help='list what is wrong and not proved too')
    a = a.parse_args(argv[:argv.index('--')] if '--' in argv else argv)
    table, each = collections.defaultdict(collections.Counter), []
    for batch in sorted(os.listdir(a.dir)):
        if a.only and a.only != batch or not os.path.exists(f'{a.dir}/{batch}/truth.json'):
            continue
        truth = Truth(json.load(open(f'{a.dir}/{batch}/truth.json')))
        with tempfile.TemporaryDirectory() as work:
            for reduction, inputs in reductions(f'{a.dir}/{batch}', work):
                for kind, what, name, group, key, true in judge(truth, *analyze(command, inputs)):
                    table[reduction][kind] += 1
                    each.append(dict(batch=batch, reduction=reduction, scenario=name, group=group, kind=kind, said=what, true=true, ports=key))
    show(table, each, a)
    sys.exit(any(t['FALSE PROOF'] for t in table.values()))


def show(table, each, a):
    if a.json:
        json.dump(each, open(a.json, 'w'), indent=0)
    print('| reduction | ' + ' | '.join(KINDS) + ' |\n|---' * 1 + '|---' * len(KINDS) + '|')
    for reduction, counts in table.items():
        print(f'| {reduction} | ' + ' | '.join(str(counts[k]) for k in KINDS) + ' |')
    for kind in ['FALSE PROOF'] + (['wrong inferred', 'wrong possible'] if a.wrong else []):
        groups = collections.defaultdict(lambda: (set(), []))
        for e in each:
            if e['kind'] == kind:
                groups[e['scenario'], e['group'], e['said'], e['true']][0].add(e['reduction'])
        for (name, group, said, true), (where, _) in sorted(groups.items()):
            print(f'{kind}: {name} {group}: {said}; true is {true} ({", ".join(sorted(where))})')


if __name__ == '__main__':
    main()
