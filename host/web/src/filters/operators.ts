// Which comparisons a field of each type has (`host/docs/filters.md`), and what is typed for them.
import type { Field } from '~/api/client';
import type { Filter } from '~/api/queries';

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

/** A line of the builder. */
export interface Condition {
  readonly field: string;
  readonly operator: Operator;
  readonly value: unknown;
}

/** What the builder shows: lines of which all, or any, must hold; a group may hold groups. */
export interface Conditions {
  readonly all: boolean;
  readonly parts: readonly (Condition | Conditions | Unshown)[];
}

/** A part of a filter that the builder has no line for (a count of related records, a `not`): kept as it is. */
export interface Unshown {
  readonly raw: Filter;
}

export function isGroup(part: Conditions['parts'][number]): part is Conditions {
  return 'parts' in part;
}

export function isUnshown(part: Conditions['parts'][number]): part is Unshown {
  return 'raw' in part;
}

export const NO_CONDITIONS: Conditions = { all: true, parts: [] };

/** Reads a filter into lines. */
export function conditionsOf(filter: Filter | undefined): Conditions {
  if (!filter) {
    return NO_CONDITIONS;
  }
  const part = partOf(filter);
  return isGroup(part) ? part : { all: true, parts: [part] };
}

function partOf(filter: Filter): Conditions['parts'][number] {
  if ('and' in filter) {
    return { all: true, parts: filter.and.map(partOf) };
  }
  if ('or' in filter) {
    return { all: false, parts: filter.or.map(partOf) };
  }
  if (!('field' in filter)) {
    return { raw: filter };
  }
  const { field, op = 'eq', value } = filter;
  if (op === 'null') {
    return { field, operator: value === false ? 'not_null' : 'is_null', value: null };
  }
  if (op === 'eq' && typeof value === 'string' && isPeriod(value)) {
    return { field, operator: 'period', value };
  }
  const operator = OPERATORS.find((known) => known === op);
  return operator ? { field, operator, value } : { raw: filter };
}

export function isPeriod(value: string): boolean {
  return (PERIODS as readonly string[]).includes(value) || /^(last_n_days|next_n_days|older_than_days):\d+$/.test(value);
}

/** Writes the lines as a filter. Lines that nobody has finished do not count. */
export function filterOf({ all, parts }: Conditions): Filter | undefined {
  const filters = parts.flatMap((part): Filter[] => {
    if (isUnshown(part)) {
      return [part.raw];
    }
    const filter = isGroup(part) ? filterOf(part) : filterOfLine(part);
    return filter ? [filter] : [];
  });
  if (filters.length === 0) {
    return undefined;
  }
  return filters.length === 1 ? filters[0] : all ? { and: filters } : { or: filters };
}

export function isFinished({ operator, value }: Condition): boolean {
  switch (operator) {
    case 'is_null':
    case 'not_null':
      return true;
    case 'between':
      return Array.isArray(value) && value.length === 2 && value.every(isThere);
    case 'in':
    case 'nin':
    case 'any':
    case 'all':
      return Array.isArray(value) && value.length > 0;
    default:
      return isThere(value);
  }
}

function isThere(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '';
}

function filterOfLine(condition: Condition): Filter | undefined {
  const { field, operator, value } = condition;
  if (!isFinished(condition)) {
    return undefined;
  }
  switch (operator) {
    case 'is_null':
      return { field, op: 'null', value: true };
    case 'not_null':
      return { field, op: 'null', value: false };
    case 'period':
      return { field, op: 'eq', value };
    default:
      return { field, op: operator, value };
  }
}

/** Both filters, where each is there. */
export function both(a: Filter | undefined, b: Filter | undefined): Filter | undefined {
  return a && b ? { and: [a, b] } : (a ?? b);
}
