// What others change shows by itself: the change feed is looked at, and what it names is asked anew.
import { useQuery } from '@tanstack/react-query';
import { forgetRecords, queryClient } from '~/api/cache';
import { ApiError, answer, api, type Schemas } from '~/api/client';

const LOOK_MS = 4_000;
/** Of more than this many entries at once, not each is looked at: everything is asked anew. */
const LOOKED_AT_MAX = 100;

let place: string | undefined;

/** Looks at the feed while the page is seen; the browser's tab in the background asks nothing. */
export function useLiveUpdates() {
  useQuery({
    queryKey: ['live'],
    queryFn: ({ signal }) => look(signal),
    refetchInterval: LOOK_MS,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
}

async function look(signal: AbortSignal): Promise<string | null> {
  try {
    const query = place === undefined ? { last: 0 } : { after: place, limit: LOOKED_AT_MAX };
    const { data, page } = await answer(api.GET('/api/v1/changes', { params: { query }, signal }));
    place = page.next ?? place;
    if (data.length >= LOOKED_AT_MAX) {
      place = (await answer(api.GET('/api/v1/changes', { params: { query: { last: 0 } }, signal }))).page.next ?? place;
      await queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'live' });
    } else {
      await Promise.all(touched(data).map(({ object, key }) => (object ? forgetRecords(object) : forget(key))));
    }
  } catch (error) {
    // The data was restored from a backup: what was read is of another history.
    if (error instanceof ApiError && error.status === 410) {
      place = undefined;
      await queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'live' });
    }
    // Anything else is said where somebody asked for something; a look that failed is tried again by itself.
  }
  return place ?? null;
}

/** What entries of the feed are about: records of objects, and parts of the cache by the first word of an event (`plugin.enabled`). */
export function touched(entries: readonly Schemas['Change'][]): { object?: string; key: string }[] {
  const objects = new Set(entries.flatMap((entry) => (entry.changes ?? []).map(({ object }) => object)));
  const events = new Set(entries.flatMap(({ event }) => (event ? [event.type.split('.')[0] ?? ''] : [])));
  return [
    ...[...objects].map((object) => ({ object, key: 'records' })),
    ...[...events].flatMap((event) => (CACHED[event] ?? []).map((key) => ({ key }))),
  ];
}

const CACHED: Readonly<Record<string, readonly string[]>> = {
  schema: ['objects', 'schema', 'records'],
  plugin: ['plugins', 'segmentations', 'scores'],
  run: ['plugins', 'segmentations', 'scores', 'explanation'],
  segment: ['segmentations', 'explanation'],
  segmentation: ['segmentations'],
  score: ['scores', 'explanation'],
};

function forget(key: string) {
  return queryClient.invalidateQueries({ queryKey: [key] });
}
