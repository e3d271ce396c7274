/// <reference lib="dom" />
/** The part of the page's script that handles the table of connections; see script.ts for what it may use. */

/** A connection as html/connections.ts hands it over: texts of the cells but one, rules, numbers to sort by, ladder. */
type ListedRow = [texts: string[], rules: string[], sort: (number | null)[], ladder: 0 | 1];

interface TableView {
  rows: ListedRow[];
  shown: ListedRow[];
  body: HTMLElement;
  heads: HTMLElement[];
  query: string;
  rule: string;
  column: number;
  descending: boolean;
  page: number;
  update: () => void;
}

function make(tag: string, text = '', className = ''): HTMLElement {
  const element = document.createElement(tag);
  if (text !== '') element.textContent = text;
  if (className !== '') element.className = className;
  return element;
}

/** Columns: the texts, with the rules as column 6. Numbers to sort by: lasts (4), packets (8), bytes (9). */
function sortKey(row: ListedRow, column: number): string | number {
  const numeric = [4, 8, 9].indexOf(column);
  if (numeric >= 0) return row[2][numeric] ?? -1;
  if (column === 6) return row[1].join(' ');
  return row[0][column < 6 ? column : column - 1] ?? '';
}

function sortRows(view: TableView): void {
  if (view.column < 0) return;
  const collator = new Intl.Collator('en', { numeric: true });
  const sign = view.descending ? -1 : 1;
  const keyed = view.shown.map((row) => ({ row, key: sortKey(row, view.column) }));
  keyed.sort((a, b) =>
    typeof a.key === 'number' && typeof b.key === 'number'
      ? sign * (a.key - b.key)
      : sign * collator.compare(String(a.key), String(b.key)),
  );
  view.shown = keyed.map((k) => k.row);
}

function rowElement(row: ListedRow, columns: number): HTMLElement {
  const [texts, rules, , ladder] = row;
  const line = make('tr');
  for (let column = 0; column < columns; column++) {
    const cell = make(column === 0 ? 'th' : 'td');
    if (column === 0) cell.setAttribute('scope', 'row');
    if (column === 4 || column > 7) cell.className = 'num';
    if (column >= 1 && column <= 3) cell.className = 'nowrap';
    if (column === 6) cell.append(ruleLinks(rules));
    else cell.textContent = texts[column < 6 ? column : column - 1] ?? '';
    if (column === 0) {
      const id = texts[0] ?? '';
      const inner = make(ladder ? 'a' : 'span', id);
      if (ladder) inner.setAttribute('href', `#${id}`);
      else inner.id = id;
      cell.replaceChildren(inner);
    }
    line.append(cell);
  }
  return line;
}

function ruleLinks(rules: readonly string[]): HTMLElement {
  const list = make('ul', '', 'plain');
  for (const rule of rules) {
    const link = make('a', rule);
    link.setAttribute('href', `#cause-${rule}`);
    const item = make('li');
    item.append(link);
    list.append(item);
  }
  return list;
}

/** Rows that hold every word of the search, and the rule. */
function filterRows(view: TableView): void {
  const words = view.query.toLowerCase().split(/\s+/).filter(Boolean);
  view.shown = view.rows.filter(([texts, rules]) => {
    if (view.rule !== '' && !rules.includes(view.rule)) return false;
    const text = `${texts.join(' ')} ${rules.join(' ')}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function field(label: string, input: HTMLElement): HTMLElement {
  const box = make('label', label);
  box.append(input);
  return box;
}

function causeChoice(view: TableView): HTMLSelectElement {
  const select = document.createElement('select');
  const counts = new Map<string, number>();
  for (const [, rules] of view.rows) for (const r of rules) counts.set(r, (counts.get(r) ?? 0) + 1);
  select.append(new Option('all causes', ''));
  for (const [rule, n] of [...counts].sort((a, b) => b[1] - a[1]))
    select.append(new Option(`${rule} (${n})`, rule));
  select.addEventListener('change', () => {
    view.rule = select.value;
    view.page = 0;
    view.update();
  });
  return select;
}

function tableControls(view: TableView): { bar: HTMLElement; select: HTMLSelectElement; update: () => void } {
  const size = 100;
  const bar = make('div', '', 'controls');
  const search = document.createElement('input');
  search.type = 'search';
  search.placeholder = 'address, port, process, ending …';
  search.addEventListener('input', () => {
    view.query = search.value;
    view.page = 0;
    view.update();
  });
  const select = causeChoice(view);
  const status = make('p');
  status.setAttribute('role', 'status');
  const turn = (text: string, by: number) => {
    const button = make('button', text) as HTMLButtonElement;
    button.type = 'button';
    button.addEventListener('click', () => {
      view.page += by;
      view.update();
    });
    return button;
  };
  const [before, after] = [turn('← previous', -1), turn('next →', 1)];
  const pages = make('div', '', 'pages');
  pages.append(before, after);
  bar.append(field('Search connections', search), field('Cause', select), status, pages);
  const update = () => {
    const from = view.page * size;
    const to = Math.min(from + size, view.shown.length);
    view.body.replaceChildren(...view.shown.slice(from, to).map((r) => rowElement(r, view.heads.length)));
    before.disabled = view.page === 0;
    after.disabled = to >= view.shown.length;
    pages.hidden = view.shown.length <= size;
    const range = view.shown.length > size ? `${from + 1} to ${to} of ` : '';
    const of = view.shown.length < view.rows.length ? ` of ${view.rows.length}` : '';
    status.textContent = `${range}${view.shown.length}${of} ${view.shown.length === 1 && of === '' ? 'connection' : 'connections'}`;
  };
  return { bar, select, update };
}

/** Column heads become buttons: first press ascending, second descending, third the order of the page. */
function sortButtons(view: TableView): void {
  for (const [column, head] of view.heads.entries()) {
    const button = make('button', head.textContent ?? '') as HTMLButtonElement;
    button.type = 'button';
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const [same, down] = [view.column === column, view.descending];
      view.column = same && down ? -1 : column;
      view.descending = same && !down;
      view.page = 0;
      for (const h of view.heads) h.removeAttribute('aria-sort');
      if (view.column >= 0) head.setAttribute('aria-sort', view.descending ? 'descending' : 'ascending');
      view.update();
    });
  }
}

function enhanceTable(): void {
  const box = document.getElementById('connection-table');
  const data = document.getElementById('connection-data');
  const body = box?.querySelector('tbody');
  if (!box || !data || !body) return;
  const rows = JSON.parse(data.textContent ?? '[]') as ListedRow[];
  const heads = [...box.querySelectorAll<HTMLElement>('thead th')];
  const view: TableView = {
    rows,
    shown: rows,
    body,
    heads,
    query: '',
    rule: '',
    column: -1,
    descending: false,
    page: 0,
    update: () => undefined,
  };
  const controls = tableControls(view);
  view.update = () => {
    filterRows(view);
    sortRows(view);
    controls.update();
  };
  box.before(controls.bar);
  sortButtons(view);
  view.update();
  filterFromCards(view, controls.select);
  window.addEventListener('hashchange', () => reveal(view, decodeURIComponent(location.hash.slice(1))));
}

/** A button in each cause's card that shows its connections in the table. */
function filterFromCards(view: TableView, select: HTMLSelectElement): void {
  for (const card of document.querySelectorAll<HTMLElement>('article[id^="cause-"]')) {
    const rule = card.id.slice('cause-'.length);
    if (!view.rows.some(([, rules]) => rules.includes(rule))) continue;
    const button = make('button', 'Show them in the table', 'show') as HTMLButtonElement;
    button.type = 'button';
    button.addEventListener('click', () => {
      select.value = rule;
      select.dispatchEvent(new Event('change'));
      unfold(view.body);
      document.getElementById('connections')?.scrollIntoView();
      select.focus({ preventScroll: true });
    });
    (card.querySelector('details') ?? card).append(button);
  }
}

/** Opens what an element is folded in. */
function unfold(element: Element | null): void {
  for (let at = element; at; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
}

/** Follows a link to a connection whose row is on another page of the table, or filtered out. */
function reveal(view: TableView, id: string): void {
  const there = id === '' ? null : document.getElementById(id);
  unfold(there);
  if (id === '' || there) return;
  const at = view.rows.findIndex(([texts]) => texts[0] === id);
  if (at < 0) return;
  Object.assign(view, { query: '', rule: '', column: -1, page: Math.floor(at / 100) });
  view.update();
  unfold(document.getElementById(id));
  document.getElementById(id)?.scrollIntoView();
}

export const TABLE_FUNCTIONS = [
  make,
  sortKey,
  sortRows,
  rowElement,
  ruleLinks,
  filterRows,
  field,
  causeChoice,
  tableControls,
  sortButtons,
  enhanceTable,
  filterFromCards,
  unfold,
  reveal,
];
