/// <reference lib="dom" />
/** The part of the page's script that handles the lanes; see script.ts for what it may use. */

/** One step is one thing in the picture and one row below it: pointing at either marks both. */
function linkSteps(figure: HTMLElement, table: Element): void {
  const parts = (step: string) => [
    ...figure.querySelectorAll(`[data-step="${step}"]`),
    ...table.querySelectorAll(`[data-step="${step}"]`),
  ];
  const choose = (target: EventTarget | null, on: boolean) => {
    const step = (target as Element | null)?.closest('[data-step]')?.getAttribute('data-step');
    for (const part of step ? parts(step) : []) part.classList.toggle('chosen', on);
  };
  for (const place of [figure, table]) {
    place.addEventListener('pointerover', (event) => choose(event.target, true));
    place.addEventListener('pointerout', (event) => choose(event.target, false));
  }
  figure.addEventListener('click', (event) => {
    const step = (event.target as Element).closest('[data-step]')?.getAttribute('data-step');
    if (step) table.querySelector(`[data-step="${step}"]`)?.scrollIntoView({ block: 'center' });
  });
}

/** Zoom keeps the middle (or what is under the pointer) in place; + and - change it, dragging moves the picture. */
function zoomLanes(figure: HTMLElement): void {
  const box = figure.querySelector<HTMLElement>('.scroll');
  const zooms = [...figure.querySelectorAll<HTMLInputElement>('input')];
  if (!box) return;
  let anchor = 0.5;
  let share = 0;
  const remember = (at = 0.5) => {
    anchor = at;
    share = (box.scrollLeft + at * box.clientWidth) / box.scrollWidth;
  };
  const restore = () => {
    box.scrollLeft = share * box.scrollWidth - anchor * box.clientWidth;
  };
  const step = (by: number, at = 0.5) => {
    const next = zooms[zooms.findIndex((z) => z.checked) + by];
    if (!next) return;
    remember(at);
    next.checked = true;
    restore();
  };
  box.addEventListener('scroll', () => remember());
  for (const zoom of zooms) zoom.addEventListener('change', restore);
  box.addEventListener('keydown', (event) => {
    if (event.key === '+' || event.key === '=') step(1);
    if (event.key === '-') step(-1);
  });
  box.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { left, width } = box.getBoundingClientRect();
      step(event.deltaY < 0 ? 1 : -1, (event.clientX - left) / width);
    },
    { passive: false },
  );
  box.addEventListener('pointermove', (event) => {
    if (event.pointerType === 'mouse' && event.buttons === 1) box.scrollLeft -= event.movementX;
  });
  remember();
}

function enhanceLanes(): void {
  for (const life of document.querySelectorAll('details.life')) {
    const figure = life.querySelector<HTMLElement>('.lanes');
    const table = life.querySelector('.ladder tbody');
    if (!figure || !table) continue;
    linkSteps(figure, table);
    zoomLanes(figure);
  }
}

export const LANES_FUNCTIONS = [linkSteps, zoomLanes, enhanceLanes];
