import { match } from 'pinyin-pro';
import { expect, test } from 'vitest';
import { matcher, type Pinyin } from './pinyin';

const pinyin: Pinyin = { match: (text, words) => match(text, words, { precision: 'start', continuous: true }) !== null };

test('chinese labels are found by sound and by initials', () => {
  const finds = (words: string, text: string) => matcher(words, pinyin)(text);
  expect([
    finds('kh', '客户'),
    finds('kehu', '客户'),
    finds('gh', '公海'),
    finds('xsxs', '销售线索'),
    finds('客', '客户'),
  ]).toEqual([true, true, true, true, true]);
  expect([finds('xx', '客户'), finds('gh', '客户')]).toEqual([false, false]);
});

test('latin labels are found by any part, in any case', () => {
  expect([matcher('acc', pinyin)('Accounts'), matcher('', undefined)('x'), matcher('zz', pinyin)('Accounts')]).toEqual([
    true,
    true,
    false,
  ]);
});
