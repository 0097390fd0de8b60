import { expect, test } from 'vitest';
import { cardOf } from './cards';

test('a card is read, and what does not belong to one is left out', () => {
  const title = { en: 'Won', 'zh-CN': '赢单' };
  const card = {
    title,
    object: 'opportunity',
    filter: { field: 'stage', op: 'eq', value: 'won' },
    function: 'sum',
    field: 'amount',
    by: { field: 'closed_on', bucket: 'month' },
  };
  expect(cardOf(card)).toEqual([card]);
  expect(cardOf({ title: { en: 'All' }, object: 'lead', function: 'count', by: { bucket: 'month' }, other: 1 })).toEqual([
    { title: { en: 'All', 'zh-CN': 'All' }, object: 'lead' },
  ]);
});

test('what is no card is none', () => {
  for (const raw of [null, 7, 'card', [], {}, { object: 'lead' }, { title: { en: 'x' } }, { title: 'x', object: 'lead' }]) {
    expect(cardOf(raw)).toEqual([]);
  }
});
