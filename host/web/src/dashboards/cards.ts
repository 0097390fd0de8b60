// What a dashboard counts. A card is what is asked of `aggregate`, and the list behind its numbers.
import type { Label } from '~/api/client';
import type { Filter } from '~/api/queries';

export const FUNCTIONS = ['count', 'sum', 'avg', 'median', 'min', 'max'] as const;
export type CardFunction = (typeof FUNCTIONS)[number];

export const BUCKETS = ['day', 'week', 'month', 'quarter', 'year'] as const;
export type Bucket = (typeof BUCKETS)[number];

export interface Card {
  readonly object: string;
  readonly filter?: Filter;
  /** What is reckoned over the records: their number where it is left out. */
  readonly function?: CardFunction;
  /** The field that is summed, averaged… */
  readonly field?: string;
  /** One number where it is left out. */
  readonly by?: { readonly field: string; readonly bucket?: Bucket };
}

export interface TitledCard extends Card {
  readonly title: Label;
}

/** Reads a card, which any program may have written: what is none is left out. */
export function cardOf(raw: unknown): TitledCard[] {
  if (typeof raw !== 'object' || raw === null) {
    return [];
  }
  const { title, object, filter, function: name, field, by } = raw as Record<string, unknown>;
  const words = (title ?? {}) as Partial<Label>;
  if (typeof object !== 'string' || typeof words.en !== 'string') {
    return [];
  }
  const reckoned = FUNCTIONS.find((one) => one === name);
  const group = (by ?? {}) as { field?: unknown; bucket?: unknown };
  const bucket = BUCKETS.find((one) => one === group.bucket);
  return [
    {
      title: { en: words.en, 'zh-CN': words['zh-CN'] ?? words.en },
      object,
      ...(typeof filter === 'object' && filter !== null && { filter: filter as Filter }),
      ...(reckoned && reckoned !== 'count' && { function: reckoned }),
      ...(typeof field === 'string' && { field }),
      ...(typeof group.field === 'string' && { by: { field: group.field, ...(bucket && { bucket }) } }),
    },
  ];
}
