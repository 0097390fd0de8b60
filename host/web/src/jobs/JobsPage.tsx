import { Badge, Button, Group, Progress, Stack, Table, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { answer, api, type Schemas } from '~/api/client';
import { isOver } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { toastError } from '~/ui/toasts';

const LOOK_MS = 2_000;
const SHOWN_MAX = 50;

const COLOURS: Readonly<Record<Schemas['Job']['state'], string>> = {
  queued: 'gray',
  running: 'trellis',
  succeeded: 'trellis',
  failed: 'red',
  cancelled: 'gray',
  interrupted: 'gray',
  paused: 'gray',
};

/** What the server does in the background, the newest first. */
export function JobsPage() {
  const { t } = useWords();
  const asked = useQuery({
    queryKey: ['jobs'],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/jobs', { params: { query: { limit: SHOWN_MAX } }, signal }))).data,
    refetchInterval: LOOK_MS,
  });
  useEffect(() => {
    document.title = `${t('jobs.title')} · Trellis`;
  }, [t]);
  return (
    <Stack p="md">
      <Title order={1} fz="h3">
        {t('jobs.title')}
      </Title>
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.data?.length === 0 && <Empty title={t('jobs.nothing')} />}
      <Table.ScrollContainer minWidth={720} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('jobs.kind')}</Table.Th>
              <Table.Th>{t('jobs.state')}</Table.Th>
              <Table.Th>{t('jobs.progress')}</Table.Th>
              <Table.Th>{t('jobs.begun')}</Table.Th>
              <Table.Th>
                <span className="only-said">{t('record.actions')}</span>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {asked.data?.map((job) => (
              <JobRow key={job.id} job={job} onTold={() => void asked.refetch()} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

function JobRow({ job, onTold }: { job: Schemas['Job']; onTold: () => void }) {
  const { t, formats } = useWords();
  const name = `${job.kind}${job.subject ? ` · ${job.subject}` : ''}`;
  const cancel = useMutation({
    mutationFn: () => answer(api.POST('/api/v1/jobs/{id}/cancel', { params: { path: { id: job.id } } })),
    onSettled: onTold,
    onError: toastError,
  });
  const { done, total, unit } = job.progress;
  return (
    <Table.Tr>
      <Table.Th scope="row">{name}</Table.Th>
      <Table.Td>
        <Badge variant="light" color={COLOURS[job.state]} c="var(--mantine-color-text)" tt="none">
          {t(`jobs.states.${job.state}`)}
        </Badge>
        {job.error?.message && (
          <Text fz="xs" c="var(--mantine-color-error)">
            {job.error.message}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        {!isOver(job) && total ? (
          <Progress value={(done / total) * 100} aria-label={t('jobs.progressOf', { job: name })} mb={4} />
        ) : null}
        <Text fz="xs" c="dimmed">
          {formats.number(done)}
          {total ? ` / ${formats.number(total)}` : ''} {unit}
        </Text>
      </Table.Td>
      <Table.Td>{job.created_at && formats.ago(job.created_at)}</Table.Td>
      <Table.Td>
        {!isOver(job) && (
          <Group>
            <Button size="compact-sm" variant="subtle" color="red" loading={cancel.isPending} onClick={() => cancel.mutate()}>
              {t('cancel')}
            </Button>
          </Group>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
