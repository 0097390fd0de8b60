import { type InfiniteData, QueryClient, type QueryKey } from '@tanstack/react-query';
import type { AnyRecord } from './client';
import { asApiError } from './errors';

const ATTEMPTS_MAX = 2;
/** A list of which more pages are loaded is not asked again as a whole: what is known to have changed is put into it. */
const PAGES_ASKED_AGAIN_MAX = 5;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal stays one; what may pass is tried again, a little later each time.
      retry: (failures, error) => failures < ATTEMPTS_MAX && asApiError(error).passing,
      retryDelay: (failures) => 400 * 2 ** failures,
      // The server may be on this very machine: being offline says nothing.
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

interface Page {
  readonly data: readonly AnyRecord[];
}

/** Lets go of what is known about records of an object, and of what is counted over them. */
export function forgetRecords(object: string) {
  return queryClient.invalidateQueries({
    predicate: ({ queryKey, state }) => isOf(object, queryKey) && !isLongList(queryKey, state.data),
  });
}

/** Puts a saved record where it is shown, and lets go of the rest. */
export function keepRecord(object: string, saved: AnyRecord) {
  const put = (record: AnyRecord) => (record.id === saved.id ? { ...record, ...saved } : record);
  queryClient.setQueriesData<InfiniteData<Page>>(
    { queryKey: ['records', object, 'list'] },
    (known) => known && { ...known, pages: known.pages.map((page) => ({ ...page, data: page.data.map(put) })) },
  );
  return forgetRecords(object);
}

function isOf(object: string, key: QueryKey): boolean {
  return key[0] === 'records' && key[1] === object;
}

function isLongList(key: QueryKey, data: unknown): boolean {
  const pages = key[2] === 'list' ? (data as InfiniteData<Page> | undefined)?.pages : undefined;
  return (pages?.length ?? 0) > PAGES_ASKED_AGAIN_MAX;
}
