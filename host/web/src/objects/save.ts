import { useMutation } from '@tanstack/react-query';
import { forgetRecords, keepRecord } from '~/api/cache';
import { type AnyRecord, answer, api, type ObjectDefinition, segmentOf } from '~/api/client';

/** Saves some fields of a record as one change, unless somebody else changed the same fields meanwhile. */
export function useSave(object: ObjectDefinition, record: Pick<AnyRecord, 'id' | 'version'>) {
  return useMutation({
    mutationFn: (changes: Record<string, unknown>) =>
      answer(
        api.PATCH('/api/v1/{objects}/{id}', {
          params: {
            path: { objects: segmentOf(object), id: record.id },
            header: record.version === undefined ? {} : { 'If-Match': `"${record.version}"` },
          },
          body: changes,
        }),
      ),
    onSuccess: (saved) => void keepRecord(object.name, saved),
  });
}

export function useCreate(object: ObjectDefinition) {
  return useMutation({
    mutationFn: ({ fields, despiteDuplicates }: { fields: Record<string, unknown>; despiteDuplicates?: boolean }) =>
      answer(
        api.POST('/api/v1/{objects}', {
          params: { path: { objects: segmentOf(object) } },
          body: fields,
          headers: despiteDuplicates ? { 'X-Skip-Duplicate-Check': 'true' } : {},
        }),
      ),
    onSuccess: () => void forgetRecords(object.name),
  });
}

export function useDelete(object: ObjectDefinition) {
  return useMutation({
    mutationFn: (id: string) =>
      answer(api.DELETE('/api/v1/{objects}/{id}', { params: { path: { objects: segmentOf(object), id } } })),
    onSuccess: () => void forgetRecords(object.name),
  });
}
