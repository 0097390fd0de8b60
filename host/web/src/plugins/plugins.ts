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

/** After a plugin was changed or has run: its own pages, and what it says of customers. */
export async function forgetPlugin() {
  await Promise.all(
    ['plugins', 'segmentations', 'scores', 'explanation', 'records', 'objects'].map((key) =>
      queryClient.invalidateQueries({ queryKey: [key] }),
    ),
  );
}
