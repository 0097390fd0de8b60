import type { Filter } from '~/api/queries';
import { SPANS, type Span } from './days';

export const MODES = ['table', 'kanban', 'calendar'] as const;
export type Mode = (typeof MODES)[number];

/** Where the view has groups and the address wants none. */
export const NO_GROUP = 'none';

/** What the address of a list says. */
export interface ListSearch {
  readonly view?: string;
  readonly q?: string;
  readonly filter?: Filter;
  readonly sort?: string;
  readonly columns?: readonly string[];
  readonly group?: string;
  readonly mode?: Mode;
  /** The day that a calendar shows. */
  readonly day?: string;
  /** How much it shows. */
  readonly span?: Span;
  /** Whether the form for a new record is open. */
  readonly create?: boolean;
}

/** Reads an address, which anybody may have written: what does not fit is left out. */
export function listSearch(raw: Record<string, unknown>): ListSearch {
  const text = (name: string) => (typeof raw[name] === 'string' && raw[name] !== '' ? raw[name] : undefined);
  const mode = MODES.find((mode) => mode === raw.mode);
  const columns = Array.isArray(raw.columns) ? raw.columns.filter((name): name is string => typeof name === 'string') : undefined;
  const search = {
    view: text('view'),
    // The router reads a text of digits as a number.
    q: typeof raw.q === 'number' ? String(raw.q) : text('q'),
    // Only the server knows whether a filter is one; it says where it is not.
    filter: typeof raw.filter === 'object' && raw.filter !== null ? (raw.filter as Filter) : undefined,
    sort: text('sort'),
    columns: columns?.length ? columns : undefined,
    group: text('group'),
    mode: mode === 'table' ? undefined : mode,
    day: text('day'),
    span: SPANS.find((span) => span === raw.span && span !== 'month'),
    create: raw.create === true ? true : undefined,
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
