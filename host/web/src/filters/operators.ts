// Which comparisons a field of each type has (`host/docs/filters.md`).
import type { Field } from '~/api/client';

export const OPERATORS = [
  'eq',
  'ne',
  'contains',
  'starts',
  'ends',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'in',
  'nin',
  'any',
  'all',
  'is_null',
  'not_null',
  'period',
] as const;
/** As people choose them: `is_null`, `not_null` and `period` are written with other operators of the grammar. */
export type Operator = (typeof OPERATORS)[number];

const EMPTY: readonly Operator[] = ['is_null', 'not_null'];
const ORDERED: readonly Operator[] = ['gt', 'gte', 'lt', 'lte', 'between'];

export const PERIODS = [
  'today',
  'yesterday',
  'tomorrow',
  'this_week',
  'last_week',
  'next_week',
  'this_month',
  'last_month',
  'next_month',
  'this_quarter',
  'last_quarter',
  'this_year',
  'last_year',
  'last_n_days:7',
  'last_n_days:30',
  'last_n_days:90',
  'next_n_days:7',
  'next_n_days:30',
  'older_than_days:90',
  'older_than_days:365',
] as const;
export type Period = (typeof PERIODS)[number];

export function operatorsOf(field: Field): readonly Operator[] {
  switch (field.type) {
    case 'text':
      return ['contains', 'eq', 'ne', 'starts', 'ends', ...EMPTY];
    case 'number':
    case 'integer':
    case 'money':
      return ['eq', 'ne', ...ORDERED, ...EMPTY];
    case 'date':
    case 'time':
      return ['period', 'gte', 'lte', 'between', ...EMPTY];
    case 'bool':
      return ['eq', ...EMPTY];
    case 'choice':
      return ['in', 'nin', ...EMPTY];
    case 'multi_choice':
    case 'list':
      return ['any', 'all', ...EMPTY];
    case 'reference':
      return ['eq', 'ne', ...EMPTY];
    case 'json':
      return EMPTY;
  }
}

export function isPeriod(value: string): boolean {
  return (PERIODS as readonly string[]).includes(value) || /^(last_n_days|next_n_days|older_than_days):\d+$/.test(value);
}
