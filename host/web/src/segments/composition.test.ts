import { expect, test } from 'vitest';
import { compared } from './composition';

test('shares are beside those of all, and 100 is the same', () => {
  const base = new Map<unknown, number>([
    ['gold', 10],
    ['lead', 80],
    [null, 10],
  ]);
  const chosen = new Map<unknown, number>([
    ['gold', 10],
    ['lead', 40],
  ]);
  expect(compared(base, chosen)).toEqual([
    { value: 'gold', share: 0.2, baseShare: 0.1, index: 200 },
    { value: 'lead', share: 0.8, baseShare: 0.8, index: 100 },
    { value: null, share: 0, baseShare: 0.1, index: 0 },
  ]);
});

test('nobody is spread nowhere', () => {
  expect(compared(new Map([['gold', 1]]), new Map())).toEqual([{ value: 'gold', share: 0, baseShare: 1, index: 0 }]);
  expect(compared(new Map(), new Map())).toEqual([]);
});
