// The schema as an administrator changes it: what a change would do is asked first, then it is applied.
import { infiniteQueryOptions, queryOptions, useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '~/api/cache';
import { answer, api, type Schemas } from '~/api/client';

export type Plan = Pick<Schemas['SchemaPlan'], 'steps' | 'refused'>;

/** A change of the schema. With `dry_run` it only says what would happen. */
export type Send = (query: { dry_run?: boolean; confirm_destructive?: boolean }) => Promise<unknown>;

const path = (name: string) => ({ name });

export function addObject(body: object): Send {
  return (query) => answer(api.POST('/api/v1/metadata/objects', { params: { query }, body: body as never }));
}

export function changeObject(name: string, body: object): Send {
  return (query) =>
    answer(api.PATCH('/api/v1/metadata/objects/{name}', { params: { path: path(name), query }, body: body as never }));
}

export function retireObject(name: string): Send {
  return (query) => answer(api.DELETE('/api/v1/metadata/objects/{name}', { params: { path: path(name), query } }));
}

export function addField(name: string, body: object): Send {
  return (query) =>
    answer(api.POST('/api/v1/metadata/objects/{name}/fields', { params: { path: path(name), query }, body: body as never }));
}

export function changeField(name: string, field: string, body: object): Send {
  return (query) =>
    answer(
      api.PATCH('/api/v1/metadata/objects/{name}/fields/{field}', {
        params: { path: { name, field }, query },
        body: body as never,
      }),
    );
}

export function retireField(name: string, field: string): Send {
  return (query) =>
    answer(api.DELETE('/api/v1/metadata/objects/{name}/fields/{field}', { params: { path: { name, field }, query } }));
}

export function applyDocument(document: Schemas['SchemaDocument']): Send {
  return ({ dry_run, confirm_destructive }) => {
    const query = confirm_destructive === undefined ? {} : { confirm_destructive };
    return dry_run
      ? answer(api.POST('/api/v1/metadata/schema/diff', { params: { query }, body: document }))
      : answer(api.POST('/api/v1/metadata/schema/apply', { params: { query }, body: document }));
  };
}

/** What waits for a confirmation. */
interface Waiting {
  readonly plan: Plan;
  readonly send: Send;
  readonly onDone: (() => void) | undefined;
}

/**
 * Changes the schema. A change that loses nothing is applied at once, unless `review` asks to see every change; another waits until it is
 * confirmed, or says why it is refused.
 */
export function useSchemaChange(onApplied: (plan: Plan) => void, review = false) {
  const [waiting, setWaiting] = useState<Waiting>();
  const apply = useMutation({
    mutationFn: async ({ plan, send, onDone }: Waiting) => {
      await send({ confirm_destructive: true });
      return { plan, onDone };
    },
    onSuccess: async ({ plan, onDone }) => {
      await forgetSchema();
      setWaiting(undefined);
      onDone?.();
      onApplied(plan);
    },
  });
  const ask = useMutation({
    mutationFn: async ({ send, onDone }: { send: Send; onDone?: () => void }) => {
      // The description of the API names the answer of a change; with `dry_run` it is the plan of one.
      const { steps, refused } = (await send({ dry_run: true })) as Plan;
      return { plan: { steps, refused: refused ?? [] }, send, onDone };
    },
    onSuccess: (found) => {
      const { steps, refused } = found.plan;
      if (review || refused.length > 0 || steps.length === 0 || steps.some((step) => step.destructive)) {
        setWaiting(found);
      } else {
        apply.mutate(found);
      }
    },
  });
  return {
    change: ask.mutate,
    busy: ask.isPending || apply.isPending,
    error: ask.error ?? apply.error,
    waiting,
    confirm: () => waiting && apply.mutate(waiting),
    leave: () => {
      apply.reset();
      setWaiting(undefined);
    },
  };
}

export type SchemaChange = ReturnType<typeof useSchemaChange>;

/** Everything that is shown hangs on the schema. */
export function forgetSchema() {
  return queryClient.invalidateQueries({ predicate: ({ queryKey }) => KEYS.has(String(queryKey[0])) });
}

const KEYS = new Set(['objects', 'records', 'schema']);

export interface Origin {
  readonly kind: 'standard' | 'company' | 'pack';
  readonly pack?: string;
}

/** Where a part of the schema comes from: the product, the company, or a pack. */
export function originOf(origin: unknown): Origin {
  if (typeof origin === 'object' && origin !== null && 'pack' in origin) {
    return { kind: 'pack', pack: String(origin.pack) };
  }
  return { kind: origin === 'standard' ? 'standard' : 'company' };
}

/** All definitions as a file of them. */
export const definitionsQuery = queryOptions({
  queryKey: ['schema', 'definitions'],
  queryFn: ({ signal }) => answer(api.GET('/api/v1/metadata/schema', { signal })),
});

const VERSIONS_SHOWN = 25;

export const versionsQuery = infiniteQueryOptions({
  queryKey: ['schema', 'versions'],
  queryFn: ({ pageParam, signal }) =>
    answer(
      api.GET('/api/v1/metadata/schema/versions', {
        params: { query: { limit: VERSIONS_SHOWN, ...(pageParam && { after: pageParam }) } },
        signal,
      }),
    ),
  initialPageParam: '',
  getNextPageParam: (page) => page.page.next ?? undefined,
});
