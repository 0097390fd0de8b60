// Filters as lines of the builder, and back.
import type { Filter } from '~/api/queries';
import { isPeriod, OPERATORS, type Operator } from './operators';

/** A line of the builder. */
export interface Condition {
  readonly field: string;
  readonly operator: Operator;
  readonly value: unknown;
}

/** What the builder shows: lines of which all, or any, must hold; a group may hold groups. */
export interface Conditions {
  readonly all: boolean;
  readonly parts: readonly Part[];
}

export type Part = Condition | Conditions | Related | Unshown;

/** How many records refer to the one in question, or what they sum up to. */
export interface Related {
  /** The plural of the other object. */
  readonly related: string;
  /** Which of them count. */
  readonly where: Conditions;
  /** The field that is summed; undefined counts them. */
  readonly sum: string | undefined;
  readonly operator: BoundOperator;
  readonly value: number | null;
}

export const BOUND_OPERATORS = ['gte', 'lte', 'eq', 'gt', 'lt', 'ne'] as const;
export type BoundOperator = (typeof BOUND_OPERATORS)[number];

/** A part of a filter that the builder has no line for (a `not`): kept as it is. */
export interface Unshown {
  readonly raw: Filter;
}

export function isGroup(part: Part): part is Conditions {
  return 'parts' in part;
}

export function isUnshown(part: Part): part is Unshown {
  return 'raw' in part;
}

export function isRelated(part: Part): part is Related {
  return 'related' in part;
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

function partOf(filter: Filter): Part {
  if ('and' in filter) {
    return { all: true, parts: filter.and.map(partOf) };
  }
  if ('or' in filter) {
    return { all: false, parts: filter.or.map(partOf) };
  }
  if ('related' in filter) {
    return relatedOf(filter) ?? { raw: filter };
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

/** Reads one bound on a count or sum; of several, the builder has no line. */
function relatedOf({ related, where, count, sum }: Extract<Filter, { related: string }>): Related | undefined {
  const { field, ...bounds } = (sum ?? count ?? {}) as Record<string, unknown>;
  const [bound, ...others] = Object.entries(bounds);
  const operator = BOUND_OPERATORS.find((known) => known === bound?.[0]);
  if (!operator || others.length > 0 || typeof bound?.[1] !== 'number' || (sum !== undefined) !== (typeof field === 'string')) {
    return undefined;
  }
  return {
    related,
    where: conditionsOf(where),
    sum: typeof field === 'string' ? field : undefined,
    operator,
    value: bound[1],
  };
}

/** Writes the lines as a filter. Lines that nobody has finished do not count. */
export function filterOf({ all, parts }: Conditions): Filter | undefined {
  const filters = parts.flatMap((part): Filter[] => {
    if (isUnshown(part)) {
      return [part.raw];
    }
    const filter = isGroup(part) ? filterOf(part) : isRelated(part) ? filterOfRelated(part) : filterOfLine(part);
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

function filterOfRelated({ related, where, sum, operator, value }: Related): Filter | undefined {
  if (value === null) {
    return undefined;
  }
  const which = filterOf(where);
  const bound = { [operator]: value };
  return { related, ...(which && { where: which }), ...(sum ? { sum: { field: sum, ...bound } } : { count: bound }) };
}

/** Both filters, where each is there. */
export function both(a: Filter | undefined, b: Filter | undefined): Filter | undefined {
  return a && b ? { and: [a, b] } : (a ?? b);
}
