import { expect, test } from 'vitest';
import { differences } from './differences';

test('only what differs is named, with its place', () => {
  const before = { outcome: 'a', reasons: [{ code: 'x', text: 'one' }], score: 1 };
  const after = { outcome: 'b', reasons: [{ code: 'x', text: 'two' }, { code: 'y' }], score: 1 };
  expect(differences(before, after)).toEqual([
    { at: 'outcome', before: 'a', after: 'b' },
    { at: 'reasons.0.text', before: 'one', after: 'two' },
    { at: 'reasons.1', before: null, after: { code: 'y' } },
  ]);
});

test('what is the same differs nowhere, a list is no object', () => {
  expect(differences({ a: [1, null] }, { a: [1, null] })).toEqual([]);
  expect(differences({ a: [] }, { a: {} })).toEqual([{ at: 'a', before: [], after: {} }]);
});
