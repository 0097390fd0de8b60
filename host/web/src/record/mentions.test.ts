import { expect, test } from 'vitest';
import { begun, marked, partsOf } from './mentions';

const ANN = '01a20864-1f15-7000-8000-ab7ea63f5370';
const BOB = '01a20864-1f15-7000-8000-ab7ea63f5371';

test('who is mentioned is kept by the id and read by the name', () => {
  const users = new Map([
    ['Ann', ANN],
    ['Ann Li', BOB],
  ]);
  const text = marked('请@Ann Li跟进，@Ann too (@Anna not)', users);
  expect(text).toBe(`请@[Ann Li](user:${BOB})跟进，@[Ann](user:${ANN}) too (@[Ann](user:${ANN})a not)`);
  expect(partsOf(`请@[张伟](user:${BOB})跟进`)).toEqual([{ text: '请' }, { text: '@张伟', user: BOB }, { text: '跟进' }]);
  expect(partsOf('@Ann, @[Ann](user:7)')).toEqual([{ text: '@Ann, @[Ann](user:7)' }]);
  expect(partsOf('')).toEqual([]);
  expect(marked('a@b.example', new Map())).toBe('a@b.example');
});

test('a mention begins with @ and ends where the name is chosen', () => {
  const nobody = new Map<string, string>();
  expect(begun('ask @an', 7, nobody)).toBe('an');
  expect(begun('ask @', 5, nobody)).toBe('');
  expect(begun('ask an', 6, nobody)).toBeUndefined();
  expect(begun('ask @an\nnow', 11, nobody)).toBeUndefined();
  expect(begun('ask @Ann now', 12, new Map([['Ann', ANN]]))).toBeUndefined();
});
