import { expect, test } from 'vitest';
import type { Filter } from '~/api/queries';
import { both, conditionsOf, filterOf } from './conditions';

const readAndWritten = (filter: Filter) => filterOf(conditionsOf(filter));

test('a filter that is read into lines is written as it was', () => {
  const filters: Filter[] = [
    { field: 'stage', op: 'in', value: ['won', 'lost'] },
    { field: 'city', op: 'null', value: true },
    { field: 'city', op: 'null', value: false },
    { field: 'close_on', op: 'eq', value: 'last_n_days:30' },
    {
      and: [
        { field: 'a', op: 'gte', value: 1 },
        {
          or: [
            { field: 'b', op: 'eq', value: 'x' },
            { field: 'c', op: 'between', value: [1, 2] },
          ],
        },
      ],
    },
    { and: [{ field: 'a', op: 'eq', value: true }, { not: { field: 'b', value: 1 } }] },
    { related: 'orders', count: { gte: 3 } },
    { related: 'orders', count: { gte: 3, lt: 9 } },
    { related: 'orders', where: { field: 'ordered_on', op: 'eq', value: 'last_n_days:90' }, sum: { field: 'amount', gte: 1000 } },
  ];
  for (const filter of filters) {
    expect(readAndWritten(filter)).toEqual(filter);
  }
});

test('a line that nobody has finished does not count', () => {
  expect(filterOf({ all: true, parts: [{ field: 'name', operator: 'contains', value: '' }] })).toBeUndefined();
  const half = { field: 'amount', operator: 'between', value: [1, null] } as const;
  expect(filterOf({ all: false, parts: [half, { field: 'name', operator: 'eq', value: 'x' }] })).toEqual({
    field: 'name',
    op: 'eq',
    value: 'x',
  });
});

test('an equal sign is understood where it is left out', () => {
  expect(readAndWritten({ field: 'stage', value: 'won' })).toEqual({ field: 'stage', op: 'eq', value: 'won' });
});

test('two filters hold together', () => {
  const [a, b] = [
    { field: 'a', value: 1 },
    { field: 'b', value: 2 },
  ];
  expect(both(a, b)).toEqual({ and: [a, b] });
  expect([both(a, undefined), both(undefined, b), both(undefined, undefined)]).toEqual([a, b, undefined]);
});
