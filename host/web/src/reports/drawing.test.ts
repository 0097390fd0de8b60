import { expect, test } from 'vitest';
import { optionOf, type Panel } from './drawing';

const said = (en: string) => ({ en, 'zh-CN': en });
const column = (name: string, type: string, values: unknown[], more: object = {}) => ({
  name,
  label: said(name),
  unit: said(''),
  type,
  values,
  ...more,
});
const panel = (drawing: object, ...columns: object[]) =>
  ({ name: 'p', label: said('p'), description: said(''), rows: 2, drawing, columns }) as unknown as Panel;

test('bars stand at their words in the language of the screen', () => {
  const bars = panel(
    { kind: 'bar', x: 'tier', y: ['n'], series: null, intervals: [] },
    column('tier', 'text', ['Gold', null], { 'zh-CN': ['黄金', null] }),
    column('n', 'integer', [4, 2]),
  );
  expect(optionOf(bars, 'zh-CN')).toMatchObject({
    xAxis: { data: ['黄金', '–'] },
    series: [
      {
        data: [
          { value: ['黄金', 4], row: 0 },
          { value: ['–', 2], row: 1 },
        ],
      },
    ],
  });
});

test('a series divides the rows, amounts count as numbers', () => {
  const lines = panel(
    { kind: 'line', x: 'day', y: ['sum'], series: 'kind', intervals: [] },
    column('day', 'number', [1, 1, 2]),
    column('sum', 'money', [{ amount: '1.50', currency: 'USD' }, { amount: '2', currency: 'USD' }, null], { currency: 'USD' }),
    column('kind', 'text', ['a', 'b', 'a']),
  );
  const option = optionOf(lines, 'en') as { series: { name: string; data: unknown }[] };
  expect(option.series.map(({ name, data }) => [name, data])).toEqual([
    [
      'a',
      [
        { value: [1, 1.5], row: 0 },
        { value: [2, null], row: 2 },
      ],
    ],
    ['b', [{ value: [1, 2], row: 1 }]],
  ]);
});

test('a tree hangs together by its parents', () => {
  const nodes = panel(
    { kind: 'tree', node: 'id', parent: 'up', label: 'rule', value: null },
    column('id', 'integer', [1, 2, 3]),
    column('up', 'integer', [null, 1, 1]),
    column('rule', 'text', ['all', 'young', 'old']),
  );
  const option = optionOf(nodes, 'en') as { series: { data: { name: string; children: { name: string }[] }[] }[] };
  expect(option.series[0]?.data.map(({ name, children }) => [name, children.map((child) => child.name)])).toEqual([
    ['all', ['young', 'old']],
  ]);
});

test('what is not known, or names columns that are not there, is a table', () => {
  expect(optionOf(panel({ kind: 'sankey' }), 'en')).toBeUndefined();
  expect(optionOf(panel({ kind: 'table' }), 'en')).toBeUndefined();
  expect(optionOf(panel({ kind: 'bar', x: 'no', y: ['n'] }, column('n', 'integer', [1])), 'en')).toBeUndefined();
});
