"""run.py BEHAVIOUR ... : runs them one after the other, on ports 8080, 8081, …, and writes expected.json into $LAB_OUT.
run.py --setup BEHAVIOUR ... : only what is to be set before they begin (sysctls, addresses); then $LAB_SET_UP=1 tells the run that it is done.

Several at once take the same namespaces; LAB_COMM=server,client names the two processes, LAB_SNAPSHOTS=0 takes no tables of sockets."""
import importlib, json, os, platform, re, sys, time
import lab

names = sys.argv[1:]
if names[:1] == ['--setup']:
    for name in names[1:]:
        lab.set_up(importlib.import_module(name.replace('-', '_')))
    sys.exit()
lab.SNAPSHOTS = len(names) == 1 and os.environ.get('LAB_SNAPSHOTS') != '0'
comm = os.environ.get('LAB_COMM', 'server,client').split(',')
failed = 0
for number, name in enumerate(names):
    failed += lab.run(importlib.import_module(name.replace('-', '_')), name, 8080 + number, comm)
    time.sleep(0.2)
rows = [json.loads(line) for line in open(lab.OUT + '/expected.jsonl')]
os.unlink(lab.OUT + '/expected.jsonl')
with open(lab.OUT + '/expected.json', 'w') as file:
    lines = ',\n  '.join(json.dumps(row) for row in rows)
    debian = re.search(r'Debian (\d+\.\d+\.\d+)', platform.version())     # there the release is that of the ABI
    kernel = debian[1] if debian else platform.release().split('-')[0]
    file.write(f'{{"kernel": "{kernel}", "connections": [\n  {lines}\n]}}\n')
sys.exit(1 if failed else 0)
