/** Charts of a batch. Arquero makes their tables; it is loaded for them alone. */
import type { RolledCause, Rollup } from '../model/rollup.ts';
import { shortened } from '../view/escape.ts';
import { type Chart, chart, WIDTH } from './chart.ts';
import { ACCENT, SECOND } from './palette.ts';

const MOST_CAUSES = 15;

export async function rollupCharts(rollup: Rollup): Promise<Chart[]> {
  if (rollup.causes.length === 0) return [];
  const charts = [byGroups(rollup)];
  if (rollup.hours.length > 0) charts.push(await byHour(rollup), await byDay(rollup));
  return charts;
}

const label = ({ title }: Pick<RolledCause, 'title'>) => shortened(title, 60);

function byGroups({ causes, newSince }: Rollup): Chart {
  const shown = causes.slice(0, MOST_CAUSES);
  const values = shown.map((c) => ({
    cause: label(c),
    groups: c.groups,
    connections: c.connections,
    isNew: c.isNew,
  }));
  return chart(
    'rollup-causes',
    'Causes by groups that show them',
    `How many groups show each of ${shown.length} causes${newSince === null ? '' : `; those in orange are new since ${newSince}`}.`,
    {
      width: WIDTH - 240,
      data: { values },
      mark: 'bar',
      encoding: {
        y: { field: 'cause', type: 'nominal', sort: null, title: null, axis: { labelLimit: 300 } },
        x: { field: 'groups', type: 'quantitative', title: 'groups', axis: { tickMinStep: 1, format: 'd' } },
        color: { condition: { test: 'datum.isNew', value: ACCENT }, value: SECOND },
      },
    },
  );
}

/** Connections by day and hour of the day. */
async function byHour({ hours }: Rollup): Promise<Chart> {
  const { from, op } = await import('arquero');
  const values = from(
    hours.map(({ hour, connections }) => ({
      day: hour.slice(0, 10),
      hour: Number(hour.slice(11)),
      connections,
    })),
  )
    .groupby('day', 'hour')
    .rollup({ connections: op.sum('connections') })
    .objects();
  return chart(
    'rollup-hours',
    'Connections with a problem by day and hour (UTC)',
    'A square a day and hour: the darker, the more connections with a problem began to show it.',
    {
      width: { step: 22 },
      height: { step: 14 },
      data: { values },
      mark: 'rect',
      encoding: {
        x: { field: 'hour', type: 'ordinal', title: 'hour of the day, UTC', axis: { labelAngle: 0 } },
        y: { field: 'day', type: 'ordinal', title: null },
        color: {
          field: 'connections',
          type: 'quantitative',
          scale: { scheme: 'blues' },
          title: 'connections',
        },
      },
    },
  );
}

/** Which cause on which day. */
async function byDay({ hours, causes }: Rollup): Promise<Chart> {
  const { from, op } = await import('arquero');
  const shown = causes.slice(0, MOST_CAUSES);
  const titles = new Map(shown.map((c) => [c.rule, label(c)]));
  const values = from(
    hours.flatMap(({ rule, hour, connections }) => {
      const cause = titles.get(rule);
      return cause === undefined ? [] : [{ cause, day: hour.slice(0, 10), connections }];
    }),
  )
    .groupby('cause', 'day')
    .rollup({ connections: op.sum('connections') })
    .objects();
  return chart(
    'rollup-days',
    'Since when: connections by cause and day (UTC)',
    'A circle a cause and day; its area is the number of connections.',
    {
      width: WIDTH - 240,
      data: { values },
      mark: { type: 'circle', opacity: 0.9, color: SECOND },
      encoding: {
        x: { field: 'day', type: 'temporal', title: null },
        y: {
          field: 'cause',
          type: 'nominal',
          sort: shown.map(label),
          title: null,
          axis: { labelLimit: 300 },
        },
        size: { field: 'connections', type: 'quantitative', title: 'connections' },
      },
    },
  );
}
