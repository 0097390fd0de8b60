import { Alert, Badge, Button, Card, Group, List, Loader, Stack, Table, Tabs, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { ApiError } from '~/api/errors';
import { finished } from '~/api/jobs';
import { useWords } from '~/i18n/hooks';
import { ReportView } from '~/reports/ReportView';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';
import { Enable } from './Enable';
import { forgetPlugin, metricsQuery, type Plugin, pluginQuery, reportQuery, reviewQuery, runsQuery } from './plugins';

const route = getRouteApi('/plugins/$id');

/** One plugin: what it wants, how it is set, what it found, how it fares. */
export function PluginPage() {
  const { t } = useWords();
  const { id } = route.useParams();
  const asked = useQuery(pluginQuery(id));
  if (asked.isError) {
    return (
      <Stack p="md">
        <Title order={1} fz="h3">
          {t('plugins.title')}
        </Title>
        <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />
      </Stack>
    );
  }
  return asked.data ? <Shown key={id} plugin={asked.data} /> : <Loader m="md" aria-label={t('loading')} />;
}

function Shown({ plugin }: { plugin: Plugin }) {
  const { t, label } = useWords();
  const [chosen, setTab] = useState<string | null>('report');
  const provides: readonly string[] = plugin.provides ?? [];
  const enabled = plugin.state === 'enabled';
  const reports = enabled && provides.includes('model-report');
  // A plugin that was disabled meanwhile has no report any more; some never have one.
  const tab = (chosen === 'report' && !reports) || (!enabled && chosen !== 'review') ? 'settings' : chosen;
  const path = { id: plugin.id };
  const run = useMutation({
    mutationFn: async () => finished(await answer(api.POST('/api/v1/plugins/{id}/run', { params: { path }, body: {} }))),
    onSuccess: async () => {
      toast(t('plugins.ran'));
      await forgetPlugin();
    },
  });
  const disable = useMutation({
    mutationFn: () => answer(api.POST('/api/v1/plugins/{id}/disable', { params: { path } })),
    onSuccess: forgetPlugin,
  });
  const runs = provides.some((one) => one === 'segmentation' || one === 'scoring');
  return (
    <Stack p="md">
      <Group justify="space-between" align="flex-start">
        <div>
          <Group gap="xs">
            <Title order={1} fz="h3">
              {label(plugin.name) || plugin.id}
            </Title>
            <Badge variant="light" tt="none">
              {t(`plugins.state.${plugin.state}`)}
            </Badge>
          </Group>
          <Text fz="sm" c="dimmed">
            {plugin.id} {plugin.version}
          </Text>
        </div>
        {enabled && (
          <Group gap="xs">
            {runs && (
              <Button loading={run.isPending} onClick={() => run.mutate()}>
                {t('plugins.run')}
              </Button>
            )}
            <Button variant="default" loading={disable.isPending} onClick={() => disable.mutate()}>
              {t('plugins.disable')}
            </Button>
          </Group>
        )}
      </Group>
      <Text fz="sm">{label(plugin.description)}</Text>
      {plugin.broken && <Alert color="red">{plugin.broken}</Alert>}
      {run.isError && <ErrorBox error={run.error} />}
      {disable.isError && <ErrorBox error={disable.error} />}
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List>
          {reports && <Tabs.Tab value="report">{t('plugins.tab.report')}</Tabs.Tab>}
          <Tabs.Tab value="settings">{t('plugins.tab.settings')}</Tabs.Tab>
          <Tabs.Tab value="review">{t('plugins.tab.review')}</Tabs.Tab>
          {enabled && <Tabs.Tab value="runs">{t('plugins.tab.runs')}</Tabs.Tab>}
          {enabled && <Tabs.Tab value="health">{t('plugins.tab.health')}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="report" pt="md">
          <Report id={plugin.id} />
        </Tabs.Panel>
        <Tabs.Panel value="settings" pt="md">
          <Enable plugin={plugin} onDone={() => setTab(enabled ? 'settings' : 'report')} />
        </Tabs.Panel>
        <Tabs.Panel value="review" pt="md">
          <ReviewTab plugin={plugin} />
        </Tabs.Panel>
        <Tabs.Panel value="runs" pt="md">
          <Runs id={plugin.id} />
        </Tabs.Panel>
        <Tabs.Panel value="health" pt="md">
          <Health id={plugin.id} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Report({ id }: { id: string }) {
  const { t } = useWords();
  const asked = useQuery(reportQuery(id));
  if (asked.isError) {
    const none = asked.error instanceof ApiError && [404, 409, 422].includes(asked.error.status);
    return none ? <Empty title={t('report.nothing')} /> : <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  return asked.data ? <ReportView report={asked.data} /> : <Loader aria-label={t('loading')} />;
}

function ReviewTab({ plugin }: { plugin: Plugin }) {
  const { t, label, formats } = useWords();
  const asked = useQuery(reviewQuery(plugin.id, plugin.version));
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  if (!asked.data) {
    return <Loader aria-label={t('loading')} />;
  }
  const { requests, outputs = [], tests, schedule, imports = [], bytes = 0, sdk } = asked.data;
  return (
    <Stack>
      <Card withBorder>
        <Text component="h2" fw={600}>
          {t('plugins.wants')}
        </Text>
        {requests.length === 0 ? (
          <Text fz="sm">{t('plugins.wantsNothing')}</Text>
        ) : (
          <List size="sm">
            {requests.map((request) => (
              <List.Item key={request.grant}>
                {label(request.text)}
                {request.fields &&
                  request.fields.length > 0 &&
                  ` (${request.fields.map((field) => label(field.label as never)).join(', ')})`}{' '}
                {request.personal && (
                  <Badge color="orange" size="sm" tt="none">
                    {t('plugins.personal')}
                  </Badge>
                )}
              </List.Item>
            ))}
          </List>
        )}
        <Text fz="sm" c="dimmed" mt="xs">
          {t('plugins.sandbox')}
        </Text>
      </Card>
      {outputs.length > 0 && (
        <Card withBorder>
          <Text component="h2" fw={600}>
            {t('plugins.gives')}
          </Text>
          <List size="sm">
            {outputs.map((output) => (
              <List.Item key={output.name}>{label(output.label) || output.name}</List.Item>
            ))}
          </List>
        </Card>
      )}
      <Card withBorder>
        <Text component="h2" fw={600}>
          {t('plugins.checks')}
        </Text>
        <Text fz="sm">{tests ? label(tests.summary) : '–'}</Text>
        {schedule && <Text fz="sm">{label(schedule.text)}</Text>}
        <Text fz="xs" c="dimmed">
          {[sdk, `${formats.number(Math.round(bytes / 1024))} kB`, t('plugins.imports', { count: imports.length })]
            .filter(Boolean)
            .join(' · ')}
        </Text>
      </Card>
    </Stack>
  );
}

function Runs({ id }: { id: string }) {
  const { t, formats } = useWords();
  const asked = useQuery(runsQuery(id));
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('plugins.run')}</Table.Th>
          <Table.Th>{t('plugins.asOf')}</Table.Th>
          <Table.Th>{t('plugins.version')}</Table.Th>
          <Table.Th>{t('plugins.customers')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {asked.data?.map((run) => {
          const customers = (run.result as { customers?: number } | undefined)?.customers;
          return (
            <Table.Tr key={run.run}>
              <Table.Td>{run.run.slice(0, 13)}</Table.Td>
              <Table.Td>{run.as_of}</Table.Td>
              <Table.Td>{run.version}</Table.Td>
              <Table.Td>{typeof customers === 'number' ? formats.number(customers) : '–'}</Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}

function Health({ id }: { id: string }) {
  const { t, formats } = useWords();
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
      <Table.ScrollContainer minWidth={600} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              {(['function', 'calls', 'rows', 'p50', 'p99', 'faults'] as const).map((name) => (
                <Table.Th key={name}>{t(`plugins.metric.${name}`)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {Object.entries(functions).map(([name, figures]) => (
              <Table.Tr key={name}>
                <Table.Td>{name}</Table.Td>
                <Table.Td>{formats.number(figures.calls)}</Table.Td>
                <Table.Td>{formats.number(figures.rows ?? 0)}</Table.Td>
                <Table.Td>{formats.number((figures.p50_us ?? 0) / 1000, 2)} ms</Table.Td>
                <Table.Td>{formats.number((figures.p99_us ?? 0) / 1000, 2)} ms</Table.Td>
                <Table.Td>{formats.number(sum(figures.faults))}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}
