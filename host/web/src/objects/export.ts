import { useMutation } from '@tanstack/react-query';
import { answer, api, download, type ObjectDefinition, segmentOf } from '~/api/client';
import { finished, resultOf } from '~/api/jobs';
import type { Filter } from '~/api/queries';
import { currentLanguage } from '~/i18n';
import { toastError } from '~/ui/toasts';

export interface ExportOrder {
  readonly filter: Filter | undefined;
  readonly sort: string | undefined;
  readonly format: 'csv' | 'xlsx';
  /** Exactly these, in this order; all that the caller may read where it is left out. */
  readonly columns: readonly string[] | undefined;
}

/** Has a file made of what a list matches, and fetches it. */
export function useExport(object: ObjectDefinition) {
  return useMutation({
    mutationFn: async ({ filter, sort, format, columns }: ExportOrder) => {
      const body = {
        format,
        language: currentLanguage(),
        ...(columns && { columns: [...columns] }),
        ...(filter && { filter: filter }),
        ...(sort && { sort }),
      };
      const started = await answer(
        api.POST('/api/v1/{objects}/export', { params: { path: { objects: segmentOf(object) } }, body }),
      );
      const job = await finished(started);
      await download(`/api/v1/jobs/${job.id}/file`, String(resultOf(job, 'file_name') ?? `${object.name}.${format}`));
    },
    onError: toastError,
  });
}
