import { Button, Code, Group, List, Loader, Stack, Table, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { WideTable } from '~/ui/WideTable';
import { forgetPlugin, logsQuery, metricsQuery, poisonQuery } from './plugins';

/** How a plugin fares: its calls, its faults, what it said, the rows it failed on. */
export function HealthTab({ id }: { id: string }) {
  const { t, label, formats } = useWords();
  const poison = useQuery(poisonQuery(id));
  const logs = useQuery(logsQuery(id));
  const release = useMutation({
    mutationFn: () => answer(api.POST('/api/v1/plugins/{id}/release', { params: { path: { id } } })),
    onSuccess: forgetPlugin,
  });
  const asked = useQuery(metricsQuery(id));
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  if (!asked.data) {
    return <Loader aria-label={t('loading')} />;
  }
  const { functions, health } = asked.data;
  const sum = (faults: Record<string, number>) => Object.values(faults).reduce((total, one) => total + one, 0);
  return (
    <Stack>
      <Text>
        {health ? t(`plugins.health.${health.state}`) : '–'}
        {health?.last_fault?.reason && ` · ${t('plugins.lastFault', { reason: health.last_fault.reason })}`}
      </Text>
      {health && health.state !== 'healthy' && (
        <Group>
          <Button variant="default" loading={release.isPending} onClick={() => release.mutate()}>
            {t('plugins.release')}
          </Button>
        </Group>
      )}
      {release.isError && <ErrorBox error={release.error} />}
      <WideTable
        minWidth={680}
        head={(['function', 'calls', 'rows', 'p50', 'p99', 'cpu', 'faults'] as const).map((name) => t(`plugins.metric.${name}`))}
      >
        {Object.entries(functions).map(([name, figures]) => (
          <Table.Tr key={name}>
            <Table.Td>{name}</Table.Td>
            <Table.Td>{formats.number(figures.calls)}</Table.Td>
            <Table.Td>{formats.number(figures.rows ?? 0)}</Table.Td>
            <Table.Td>{formats.number((figures.p50_us ?? 0) / 1000, 2)} ms</Table.Td>
            <Table.Td>{formats.number((figures.p99_us ?? 0) / 1000, 2)} ms</Table.Td>
            <Table.Td>{formats.number((figures.cpu_us ?? 0) / 1000, 2)} ms</Table.Td>
            <Table.Td>{formats.number(sum(figures.faults))}</Table.Td>
          </Table.Tr>
        ))}
      </WideTable>
      {(poison.data?.length ?? 0) > 0 && (
        <div>
          <Text fw={600}>{t('plugins.poison')}</Text>
          <List size="sm">
            {poison.data?.map((row) => (
              <List.Item key={`${row.at}${row.function}${row.record}`}>
                {formats.time(row.at)} {row.function} {row.record} {label(row.reason)}
              </List.Item>
            ))}
          </List>
        </div>
      )}
      {(logs.data?.length ?? 0) > 0 && (
        <div>
          <Text fw={600}>{t('plugins.said')}</Text>
          <Code block tabIndex={0}>
            {logs.data?.map((line) => `${line.at} ${line.level} ${line.function}: ${line.message}`).join('\n')}
          </Code>
        </div>
      )}
    </Stack>
  );
}
