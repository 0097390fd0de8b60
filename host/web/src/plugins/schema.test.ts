import { expect, test } from 'vitest';
import { settingsOf } from './schema';

test('settings are read from their schema', () => {
  const title = { en: 'Groups', 'zh-CN': '分组数' };
  const kinds = settingsOf({
    type: 'object',
    required: ['groups'],
    properties: {
      groups: { type: 'integer', title, minimum: 2, maximum: 9 },
      by: { type: 'string', oneOf: [{ const: 'mean', title: { en: 'Means', 'zh-CN': '平均值' } }] },
      field: { type: 'string' },
      loud: { type: 'boolean' },
      bounds: { type: 'array', items: { type: 'number' } },
      fields: { type: 'array', items: { type: 'string' } },
      stages: { type: 'array', items: { type: 'string', enum: ['won', 'lost'] } },
      segments: { type: 'array', items: { type: 'object' } },
    },
  });
  expect(kinds.map(({ name, kind }) => [name, kind])).toEqual([
    ['groups', 'integer'],
    ['by', 'choice'],
    ['field', 'text'],
    ['loud', 'bool'],
    ['bounds', 'numbers'],
    ['fields', 'texts'],
    ['stages', 'choices'],
    ['segments', 'other'],
  ]);
  expect(kinds[0]).toMatchObject({ title, required: true, minimum: 2, maximum: 9 });
  expect(kinds[6]?.options.map((option) => option.value)).toEqual(['won', 'lost']);
});

test('what is no schema has no settings', () => {
  expect([settingsOf(null), settingsOf(undefined), settingsOf('x'), settingsOf({})]).toEqual([[], [], [], []]);
});
