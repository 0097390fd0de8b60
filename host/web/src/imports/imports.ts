// Prepared imports: a file on the server, what becomes of its columns, and what is wrong with its rows (`host/docs/import-export.md`).
import { queryOptions } from '@tanstack/react-query';
import { answer, api, type ObjectDefinition, type Schemas } from '~/api/client';

export type Import = Schemas['PreparedImport'];

export const MODES = ['upsert', 'create', 'update'] as const;
export type Mode = (typeof MODES)[number];

/** What becomes of a column of the file. */
export interface ColumnMapping {
  readonly column?: string;
  readonly field: string;
  readonly reference?: { readonly match?: string; readonly create?: boolean; readonly set?: Readonly<Record<string, string>> };
  readonly [more: string]: unknown;
}

/** A mapping; what the screen has no place for is kept as it is. */
export interface Mapping {
  readonly object: string;
  readonly mode?: Mode;
  readonly match?: string | undefined;
  readonly columns: readonly ColumnMapping[];
  readonly [more: string]: unknown;
}

export function mappingOf(prepared: Import): Mapping {
  const mapping = prepared.mapping as Mapping | null | undefined;
  return mapping ?? { object: prepared.object ?? '', columns: [] };
}

/** The mapping with another field for a column; none leaves the column out. */
export function withField(mapping: Mapping, column: string, field: string | null): Mapping {
  const others = mapping.columns.filter((other) => other.column !== column && other.field !== field);
  return { ...mapping, columns: field ? [...others, { column, field }] : others };
}

/** The fields by which records of an object can be found: what other systems know them by first, then what they are called by. */
export function keysOf(target: ObjectDefinition): string[] {
  const text = (name: string) => target.fields.some((field) => field.name === name && field.type === 'text' && !field.retired);
  return [...new Set(['external_id', target.title, 'email', 'phone'])].filter(text);
}

/** A column whose records are found by a key, those that are missing made where that is wanted. */
export function withKey(column: ColumnMapping, target: ObjectDefinition, match: string, create: boolean): ColumnMapping {
  const named = create && match !== target.title ? { set: { [target.title]: '{}' } } : {};
  return { ...column, reference: { match, ...(create && { create }), ...named } };
}

/** By which fields a row finds its record. */
export function matchable(object: ObjectDefinition): string[] {
  return ['id', ...object.fields.filter((field) => field.unique && !field.retired).map((field) => field.name)];
}

/** How a check or an import ended. */
export interface Outcome {
  readonly rows: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly dropped: number;
  readonly created_references: number;
}

export function outcomeOf(result: unknown): Outcome | undefined {
  return typeof result === 'object' && result !== null && 'created' in result ? (result as Outcome) : undefined;
}

export function importQuery(id: string) {
  return queryOptions({
    queryKey: ['import', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/imports/{id}', { params: { path: { id } }, signal })),
  });
}

export const importsQuery = queryOptions({
  queryKey: ['imports'],
  queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/imports', { signal }))).data,
});

/** A row of the file with what is wrong with it. */
export interface Row {
  readonly row: number;
  readonly line?: number;
  readonly cells: Readonly<Record<string, string>>;
  readonly errors?: readonly { readonly column?: string | null; readonly message: string }[];
}

export function badRowsQuery(id: string, checkedAt: string | undefined) {
  return queryOptions({
    queryKey: ['import', id, 'rows', checkedAt],
    queryFn: async ({ signal }) => {
      const query = { errors: 'true' as never, limit: 50 };
      const page = await answer(api.GET('/api/v1/imports/{id}/rows', { params: { path: { id }, query }, signal }));
      // Rows are described as JSON only.
      return page as unknown as { readonly data: readonly Row[]; readonly page: { readonly next: string | null } };
    },
  });
}
