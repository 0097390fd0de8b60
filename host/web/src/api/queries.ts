// What is asked of the server, in one cache. A key begins with what it is about, so that a change can let go of all of it.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { setTimeZone } from '~/clock';
import { answer, api, type ObjectDefinition, type Schemas, segmentOf } from './client';

/** A filter tree (`host/docs/filters.md`). */
export type Filter =
  | { readonly and: readonly Filter[] }
  | { readonly or: readonly Filter[] }
  | { readonly not: Filter }
  | { readonly field: string; readonly op?: string; readonly value?: unknown }
  | { readonly related: string; readonly where?: Filter; readonly count?: unknown; readonly sum?: unknown };

export interface Asked {
  readonly filter?: Filter | undefined;
  readonly sort?: string | undefined;
  readonly q?: string | undefined;
  readonly fields?: readonly string[] | undefined;
  readonly include?: readonly string[] | undefined;
  readonly deleted?: boolean | undefined;
}

const PAGE_ROWS = 100;
/** Definitions change seldom, and whoever changes them lets go of the cache. */
const DEFINITIONS_MS = 60_000;

export const objectsQuery = queryOptions({
  queryKey: ['objects'],
  staleTime: DEFINITIONS_MS,
  queryFn: async () => (await answer(api.GET('/api/v1/metadata/objects'))).data,
});

export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: DEFINITIONS_MS,
  queryFn: () => answer(api.GET('/api/v1/me')),
});

export const serverQuery = queryOptions({
  queryKey: ['server'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async () => {
    const server = await answer(api.GET('/api/v1/server'));
    setTimeZone(server.time_zone);
    return server;
  },
});

export const segmentationsQuery = queryOptions({
  queryKey: ['segmentations'],
  staleTime: DEFINITIONS_MS,
  queryFn: async () => (await answer(api.GET('/api/v1/segmentations'))).data,
});

export const segmentationQuery = (segmentation: string) =>
  queryOptions({
    queryKey: ['segmentations', segmentation],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/segmentations/{segmentation}', { params: { path: { segmentation } }, signal })),
  });

export const scoresQuery = queryOptions({
  queryKey: ['scores'],
  staleTime: DEFINITIONS_MS,
  queryFn: async () => (await answer(api.GET('/api/v1/scores'))).data,
});

function search(object: ObjectDefinition, body: Schemas['Search'], signal: AbortSignal) {
  return answer(api.POST('/api/v1/{objects}/search', { params: { path: { objects: segmentOf(object) } }, body, signal }));
}

/** The body of a search. Filters are objects, which the description of the API leaves open. */
function bodyOf({ filter, sort, q, fields, include, deleted }: Asked): Schemas['Search'] {
  return {
    ...(filter && { filter }),
    ...(sort && { sort }),
    ...(q && { q }),
    ...(fields && { fields: [...fields] }),
    ...(include?.length && { include: [...include] }),
    ...(deleted && { deleted }),
  };
}

export function listQuery(object: ObjectDefinition, asked: Asked) {
  return infiniteQueryOptions({
    queryKey: ['records', object.name, 'list', asked],
    queryFn: ({ pageParam, signal }) =>
      search(object, { ...bodyOf(asked), limit: PAGE_ROWS, ...(pageParam && { after: pageParam }) }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function someQuery(object: ObjectDefinition, asked: Asked, limit: number) {
  return queryOptions({
    queryKey: ['records', object.name, 'some', asked, limit],
    queryFn: ({ signal }) => search(object, { ...bodyOf(asked), limit }, signal),
    placeholderData: keepPreviousData,
  });
}

export function countQuery(object: ObjectDefinition, asked: Asked) {
  const counted = { filter: asked.filter, q: asked.q, deleted: asked.deleted };
  return queryOptions({
    queryKey: ['records', object.name, 'count', counted],
    queryFn: async ({ signal }) =>
      (await search(object, { ...bodyOf(counted), fields: ['id'], limit: 1, count: 'exact' }, signal)).total ?? 0,
    placeholderData: keepPreviousData,
  });
}

export function aggregateQuery(object: ObjectDefinition, body: Schemas['Aggregate']) {
  return queryOptions({
    queryKey: ['records', object.name, 'aggregate', body],
    queryFn: ({ signal }) =>
      answer(api.POST('/api/v1/{objects}/aggregate', { params: { path: { objects: segmentOf(object) } }, body, signal })),
    placeholderData: keepPreviousData,
  });
}

const at = (object: ObjectDefinition, id: string) => ({ path: { objects: segmentOf(object), id } });

export function recordQuery(object: ObjectDefinition, id: string) {
  const include = object.fields.filter((field) => field.type === 'reference').slice(0, INCLUDE_MAX);
  const query = {
    ...(object.has_columns && { derived: true }),
    ...(include.length > 0 && { include: include.map((field) => field.name).join(',') }),
  };
  return queryOptions({
    queryKey: ['records', object.name, 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/{objects}/{id}', { params: { ...at(object, id), query }, signal })),
  });
}

/** `http.include_max` of the server, as it is by default. */
export const INCLUDE_MAX = 5;

/** What a record is called. */
export function titleQuery(object: ObjectDefinition, id: string) {
  const query = { fields: object.title };
  return queryOptions({
    queryKey: ['records', object.name, 'title', id],
    staleTime: DEFINITIONS_MS,
    queryFn: async ({ signal }) => {
      const record = await answer(api.GET('/api/v1/{objects}/{id}', { params: { ...at(object, id), query }, signal }));
      return String(record[object.title] ?? '');
    },
  });
}

/** The values that a record has in scores, by the name of the field: `score.churn`. */
export function scoreValuesQuery(object: ObjectDefinition, id: string, scores: readonly string[]) {
  const query = { fields: scores.map((score) => `score.${score}`).join(',') };
  return queryOptions({
    queryKey: ['records', object.name, 'scores', id, scores],
    enabled: scores.length > 0,
    queryFn: ({ signal }) => answer(api.GET('/api/v1/{objects}/{id}', { params: { ...at(object, id), query }, signal })),
  });
}

export function historyQuery(object: ObjectDefinition, id: string) {
  return infiniteQueryOptions({
    queryKey: ['records', object.name, 'history', id],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/api/v1/{objects}/{id}/history', {
          params: { ...at(object, id), query: { limit: 25, ...(pageParam && { after: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.page.next ?? undefined,
  });
}

export function timelineQuery(object: ObjectDefinition, id: string, kinds: readonly string[]) {
  return infiniteQueryOptions({
    queryKey: ['records', object.name, 'timeline', id, kinds],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/api/v1/{objects}/{id}/timeline', {
          params: {
            ...at(object, id),
            query: { limit: 25, ...(kinds.length && { kinds: kinds.join(',') }), ...(pageParam && { after: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.page.next ?? undefined,
  });
}

export function explanationQuery(segmentation: string, id: string) {
  return queryOptions({
    queryKey: ['explanation', 'segmentation', segmentation, id],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/v1/segmentations/{segmentation}/explanations/{id}', {
          params: { path: { segmentation, id } },
          signal,
        }),
      ),
  });
}

export function scoreExplanationQuery(score: string, id: string) {
  return queryOptions({
    queryKey: ['explanation', 'score', score, id],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/scores/{score}/explanations/{id}', { params: { path: { score, id } }, signal })),
  });
}

export function findQuery(words: string) {
  return queryOptions({
    queryKey: ['find', words],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/search', { params: { query: { q: words, limit: 12 } }, signal }))).data,
    placeholderData: keepPreviousData,
  });
}

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ['job', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/jobs/{id}', { params: { path: { id } }, signal })),
    refetchInterval: (query) => (query.state.data && isOver(query.state.data) ? false : 500),
  });
}

export function isOver(job: Schemas['Job']): boolean {
  return ['succeeded', 'failed', 'cancelled'].includes(job.state);
}
