import { Button, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { queryClient } from '~/api/cache';
import { answer, api } from '~/api/client';
import { finished } from '~/api/jobs';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';

/** What a rule did, and taking all of it back. */
export function UndoRule({ id }: { id: string }) {
  const { t } = useWords();
  const target = { rule: id };
  const preview = useQuery({
    queryKey: ['undo', 'rule', id],
    queryFn: () => answer(api.POST('/api/v1/undo/preview', { body: { target, limit: 1 } })),
  });
  const undo = useMutation({
    mutationFn: async () => finished(await answer(api.POST('/api/v1/undo', { body: { target } }))),
    onSuccess: () => {
      toast(t('undo.done'));
      void queryClient.invalidateQueries();
    },
  });
  const count = preview.data?.entries ?? 0;
  return (
    <Stack align="flex-start">
      {preview.isError && <ErrorBox error={preview.error} onRetry={() => void preview.refetch()} />}
      {preview.data && <Text fz="sm">{count === 0 ? t('rules.didNothing') : t('rules.did', { count })}</Text>}
      {undo.isError && <ErrorBox error={undo.error} />}
      <Button variant="default" disabled={count === 0} loading={undo.isPending} onClick={() => undo.mutate()}>
        {t('rules.undoAll')}
      </Button>
    </Stack>
  );
}
