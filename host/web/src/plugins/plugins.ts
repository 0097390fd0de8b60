import { queryOptions } from '@tanstack/react-query';
import { queryClient } from '~/api/cache';
import { answer, api, type Schemas } from '~/api/client';

export type Plugin = Schemas['Plugin'];
export type Review = Schemas['PluginReview'];

export const pluginsQuery = queryOptions({
  queryKey: ['plugins'],
  queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/plugins', { signal }))).data,
});

export function pluginQuery(id: string) {
  return queryOptions({
    queryKey: ['plugins', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/plugins/{id}', { params: { path: { id } }, signal })),
  });
}

export function reviewQuery(id: string, version: string) {
  return queryOptions({
    queryKey: ['plugins', id, 'review', version],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/plugins/{id}/versions/{version}/review', { params: { path: { id, version } }, signal })),
  });
}

export function metricsQuery(id: string) {
  return queryOptions({
    queryKey: ['plugins', id, 'metrics'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/plugins/{id}/metrics', { params: { path: { id } }, signal })),
  });
}

export function runsQuery(id: string) {
  return queryOptions({
    queryKey: ['plugins', id, 'runs'],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/plugins/{id}/runs', { params: { path: { id }, query: { limit: 20 } }, signal }))).data,
  });
}

export function reportQuery(id: string) {
  return queryOptions({
    queryKey: ['plugins', id, 'report'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/plugins/{id}/report', { params: { path: { id } }, signal })),
    retry: false,
  });
}

export function logsQuery(id: string) {
  return queryOptions({
    queryKey: ['plugins', id, 'logs'],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/plugins/{id}/logs', { params: { path: { id } }, signal }))).data,
  });
}

export function poisonQuery(id: string) {
  return queryOptions({
    queryKey: ['plugins', id, 'poison'],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/plugins/{id}/poison-rows', { params: { path: { id } }, signal }))).data,
  });
}

export function switchesQuery(id: string) {
  return queryOptions({
    queryKey: ['plugins', id, 'switches'],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/plugins/{id}/switches', { params: { path: { id } }, signal }))).data,
  });
}

/** How the shadow does; null where there is none. */
export function shadowQuery(id: string) {
  return queryOptions({
    queryKey: ['plugins', id, 'shadow'],
    queryFn: async ({ signal }) => {
      const { data, error, response } = await api.GET('/api/v1/plugins/{id}/shadow', { params: { path: { id } }, signal });
      if (response.status === 404 || response.status === 409) {
        return null;
      }
      return answer(Promise.resolve({ ...(data && { data }), error, response }));
    },
  });
}

export function analysesQuery(id: string) {
  return queryOptions({
    queryKey: ['plugins', id, 'analyses'],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/plugins/{id}/analyses', { params: { path: { id } }, signal }))).data,
  });
}

/** After a plugin was changed or has run: its own pages, and what it says of customers. */
export async function forgetPlugin() {
  await Promise.all(
    ['plugins', 'segmentations', 'scores', 'explanation', 'records', 'objects'].map((key) =>
      queryClient.invalidateQueries({ queryKey: [key] }),
    ),
  );
}
