import { queryOptions, useQuery } from '@tanstack/react-query';
import type { AnyRecord, Field, ObjectDefinition } from '~/api/client';
import { answer, api, type Schemas } from '~/api/client';
import { fieldOf } from '~/api/objects';
import { type Filter, scoresQuery, segmentationsQuery } from '~/api/queries';

/** A saved view, as the object `view` keeps it. */
export interface View {
  readonly id: string;
  readonly version: number | undefined;
  readonly name: string;
  readonly filter: Filter | undefined;
  readonly sort: string | undefined;
  readonly columns: readonly string[] | undefined;
  readonly groupBy: string | undefined;
  readonly shared: boolean;
  readonly owner: string | undefined;
}

const VIEWS_MAX = 100;

export function viewsQuery(object: string) {
  return queryOptions({
    queryKey: ['records', 'view', 'of', object],
    queryFn: async ({ signal }) => {
      const filter: Filter = { field: 'object', op: 'eq', value: object };
      const body: Schemas['Search'] = { filter, sort: 'name', limit: VIEWS_MAX };
      const page = await answer(api.POST('/api/v1/{objects}/search', { params: { path: { objects: 'views' } }, body, signal }));
      return [...page.data].sort(byPosition).map(viewOf);
    },
  });
}

function byPosition(a: AnyRecord, b: AnyRecord): number {
  const place = (record: AnyRecord) => (typeof record.position === 'number' ? record.position : Number.MAX_SAFE_INTEGER);
  return place(a) - place(b);
}

function viewOf(record: AnyRecord): View {
  const text = (name: string) => (typeof record[name] === 'string' && record[name] ? record[name] : undefined);
  return {
    id: record.id,
    version: record.version,
    name: text('name') ?? record.id,
    // What a view keeps was checked when it was saved, and is checked again by each search.
    filter: (record.filter as Filter | null) ?? undefined,
    sort: text('sort'),
    columns: Array.isArray(record.columns) ? record.columns.map(String) : undefined,
    groupBy: text('group_by'),
    shared: record.shared === true,
    owner: text('owner'),
  };
}

/** What a list shows: what its address says, else its view, else the object's layout. */
export interface Shown {
  readonly columns: readonly Field[];
  /** Columns that are no fields any more, or not yet. */
  readonly missing: readonly string[];
  readonly sort: string | undefined;
}

const COLUMNS_WITHOUT_LAYOUT = 6;

export function columnsOf(object: ObjectDefinition, wanted: readonly string[] | undefined, derived: readonly Field[]): Shown {
  const layout = object.layouts?.at(-1);
  const usual = layout?.columns?.length
    ? layout.columns
    : object.fields.slice(0, COLUMNS_WITHOUT_LAYOUT).map((field) => field.name);
  const names = wanted?.length ? wanted : usual;
  const columns: Field[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const field = fieldOf(object, name) ?? derived.find((field) => field.name === name);
    if (field && !field.retired) {
      columns.push(field);
    } else {
      missing.push(name);
    }
  }
  return { columns, missing, sort: layout?.sort || undefined };
}

/** Segments and scores of an object, as the fields by which filters and lists know them. */
export function useDerivedFields(object: ObjectDefinition): readonly Field[] {
  const wanted = object.has_columns;
  const segmentations = useQuery({ ...segmentationsQuery, enabled: wanted });
  const scores = useQuery({ ...scoresQuery, enabled: wanted });
  const base = { required: false, unique: false, indexed: false, personal_data: false, computed: true, writable: false } as const;
  const nothing = { en: '', 'zh-CN': '' };
  const segments = (segmentations.data ?? [])
    .filter((one) => one.object === object.name)
    .map(
      (one): Field => ({
        ...base,
        name: `segment.${one.name}`,
        type: 'choice',
        label: one.label ?? { en: one.name, 'zh-CN': one.name },
        description: one.description ?? nothing,
        options: one.values.map(({ value, label }) => ({ value, label: label ?? { en: value, 'zh-CN': value } })),
      }),
    );
  const numbers = (scores.data ?? [])
    .filter((one) => one.object === object.name)
    .map(
      (one): Field => ({
        ...base,
        name: `score.${one.name}`,
        type: 'number',
        label: one.label ?? { en: one.name, 'zh-CN': one.name },
        description: one.description ?? nothing,
      }),
    );
  return wanted ? [...segments, ...numbers] : [];
}
