import { Alert, Button, Group, Table } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { answer, api, type Schemas } from '~/api/client';
import { finished } from '~/api/jobs';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { WideTable } from '~/ui/WideTable';
import { runsQuery } from './plugins';

/** What a plugin computed, the newest first; each run can be computed again from what it read. */
export function RunsTab({ id }: { id: string }) {
  const { t } = useWords();
  const asked = useQuery(runsQuery(id));
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  return (
    <WideTable
      minWidth={560}
      head={[
        t('plugins.run'),
        t('plugins.asOf'),
        t('plugins.version'),
        t('plugins.customers'),
        <span key="actions" className="only-said">
          {t('record.actions')}
        </span>,
      ]}
    >
      {asked.data?.map((run) => (
        <RunRow key={run.run} id={id} run={run} />
      ))}
    </WideTable>
  );
}

function RunRow({ id, run }: { id: string; run: Schemas['Run'] }) {
  const { t, formats } = useWords();
  const customers = (run.result as { customers?: number } | undefined)?.customers;
  const replay = useMutation({
    mutationFn: async () => {
      const params = { path: { id, run: run.run } };
      const job = await finished(await answer(api.POST('/api/v1/plugins/{id}/runs/{run}/replay', { params, body: {} })));
      return job.result as { same?: boolean };
    },
  });
  return (
    <Table.Tr>
      <Table.Td>{run.run.slice(0, 13)}</Table.Td>
      <Table.Td>{run.as_of}</Table.Td>
      <Table.Td>{run.version}</Table.Td>
      <Table.Td>{typeof customers === 'number' ? formats.number(customers) : '–'}</Table.Td>
      <Table.Td>
        <Group justify="flex-end">
          {run.can_be_replayed && (
            <Button size="compact-sm" variant="default" loading={replay.isPending} onClick={() => replay.mutate()}>
              {t('decisions.replay')}
            </Button>
          )}
        </Group>
        {replay.isError && <ErrorBox error={replay.error} />}
        {replay.data && (
          <Alert color={replay.data.same ? 'teal' : 'yellow'} role="status" mt="xs">
            {t(replay.data.same ? 'decisions.same' : 'decisions.different')}
          </Alert>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
