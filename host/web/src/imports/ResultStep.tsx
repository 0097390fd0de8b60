import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { forgetRecords, queryClient } from '~/api/cache';
import { answer, api, download, type ObjectDefinition, segmentOf } from '~/api/client';
import { finished } from '~/api/jobs';
import { isOver, jobQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast, toastError } from '~/ui/toasts';
import { type Import, outcomeOf } from './imports';
import { Outcomes } from './Outcomes';

/** How far it is, what came of it, and the way back. */
export function ResultStep({ prepared, object }: { prepared: Import; object: ObjectDefinition }) {
  const { t, formats, label } = useWords();
  const id = prepared.job ?? '';
  const asked = useQuery({ ...jobQuery(id), enabled: id !== '' });
  const job = asked.data;
  const over = job && isOver(job);
  const outcome = outcomeOf(job?.result);
  const path = { id };
  const tell = useMutation({
    mutationFn: (word: 'pause' | 'resume' | 'cancel') => answer(api.POST(`/api/v1/jobs/{id}/${word}`, { params: { path } })),
    onSettled: () => asked.refetch(),
    onError: toastError,
  });
  const undo = useMutation({
    mutationFn: async () => finished(await answer(api.POST('/api/v1/undo', { body: { target: { job: id } } }))),
    onSuccess: () => {
      toast(t('undo.done'));
      void queryClient.invalidateQueries({ queryKey: ['records'] });
    },
  });
  useEffect(() => {
    if (over) {
      void forgetRecords(object.name);
    }
  }, [over, object.name]);
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  const total = job?.progress.total ?? prepared.rows;
  const done = job?.progress.done ?? 0;
  return (
    <Stack>
      {!over && (
        <>
          <Progress
            value={total ? (done / total) * 100 : 0}
            aria-label={t('import.progress')}
            animated={job?.state === 'running'}
          />
          <Group justify="space-between">
            <Text fz="sm" role="status">
              {t('import.soFar', { done: formats.number(done), total: formats.number(total) })}
            </Text>
            <Group gap="xs">
              {job?.state === 'paused' ? (
                <Button size="xs" variant="light" onClick={() => tell.mutate('resume')}>
                  {t('import.resume')}
                </Button>
              ) : (
                <Button size="xs" variant="light" onClick={() => tell.mutate('pause')}>
                  {t('import.pause')}
                </Button>
              )}
              <Button size="xs" variant="light" color="red" onClick={() => tell.mutate('cancel')}>
                {t('cancel')}
              </Button>
            </Group>
          </Group>
        </>
      )}
      {over && job.state !== 'succeeded' && <Alert color="red">{job.error?.message ?? job.state}</Alert>}
      {outcome && <Outcomes outcome={outcome} />}
      {undo.isError && <ErrorBox error={undo.error} />}
      {over && (
        <Group>
          <Button renderRoot={(props) => <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} {...props} />}>
            {t('record.toList', { object: label(object.plural_label) })}
          </Button>
          {(outcome?.failed ?? 0) > 0 && (
            <Button
              variant="default"
              onClick={() =>
                download(`/api/v1/imports/${prepared.id}/failed-rows`, `failed-${prepared.file_name ?? 'rows.csv'}`).catch(
                  toastError,
                )
              }
            >
              {t('import.failedRows')}
            </Button>
          )}
          <Button variant="default" loading={undo.isPending} disabled={undo.isSuccess} onClick={() => undo.mutate()}>
            {undo.isSuccess ? t('undo.done') : t('import.undo')}
          </Button>
          <Button variant="subtle" renderRoot={(props) => <Link to="/import" search={{}} {...props} />}>
            {t('import.another')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
