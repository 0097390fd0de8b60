import { Alert, Badge, Button, Card, Group, SimpleGrid, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { answer, api, download } from '~/api/client';
import { finished } from '~/api/jobs';
import { serverQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { pluginsQuery } from '~/plugins/plugins';
import { ErrorBox } from '~/ui/ErrorBox';
import { Page } from '~/ui/Page';
import { toast, toastError } from '~/ui/toasts';
import { Tokens } from './Tokens';

const LOOK_MS = 5_000;

/** How the server does, what it runs on, and who may sign in. */
export function SystemPage() {
  const { t } = useWords();
  return (
    <Page
      title={t('admin.system')}
      actions={
        <Button variant="default" onClick={() => void download('/metrics', 'metrics.txt').catch(toastError)}>
          {t('admin.metrics')}
        </Button>
      }
    >
      <SimpleGrid cols={{ base: 1, md: 3 }}>
        <Health />
        <Versions />
        <SearchIndex />
      </SimpleGrid>
      <PluginsHealth />
      <Tokens />
    </Page>
  );
}

function Health() {
  const { t } = useWords();
  const asked = useQuery({
    queryKey: ['ready'],
    queryFn: async ({ signal }) => {
      const { data, error } = await api.GET('/api/v1/ready', { signal });
      // A server that is not ready says why, with the status of an error.
      return (data ?? error) as { status?: string; checks?: Record<string, unknown> };
    },
    refetchInterval: LOOK_MS,
  });
  const ready = asked.data?.status === 'ready';
  return (
    <Card withBorder component="section" aria-label={t('admin.health')}>
      <Text fw={600}>{t('admin.health')}</Text>
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.data && <Alert color={ready ? 'teal' : 'red'}>{t(ready ? 'admin.ready' : 'admin.notReady')}</Alert>}
      {Object.entries(asked.data?.checks ?? {}).map(([name, state]) => (
        <Text key={name} fz="sm">
          {name}: {String(state)}
        </Text>
      ))}
    </Card>
  );
}

function Versions() {
  const { t } = useWords();
  const { data } = useQuery(serverQuery);
  return (
    <Card withBorder component="section" aria-label={t('admin.runsOn')}>
      <Text fw={600}>{t('admin.runsOn')}</Text>
      {data && (
        <>
          <Text fz="sm">Trellis {data.version}</Text>
          <Text fz="sm">wasmtime {data.wasmtime}</Text>
          {data.wit.map(({ from, to }) => (
            <Text key={to} fz="sm">
              {t('admin.interfaces', { versions: from === to ? from : `${from} – ${to}` })}
            </Text>
          ))}
          <Text fz="sm">{t('admin.clock', { zone: data.time_zone, currency: data.base_currency })}</Text>
        </>
      )}
    </Card>
  );
}

function SearchIndex() {
  const { t } = useWords();
  const rebuild = useMutation({
    mutationFn: async () => finished(await answer(api.POST('/api/v1/search/rebuild'))),
    onSuccess: () => toast(t('admin.rebuilt')),
  });
  return (
    <Card withBorder component="section" aria-label={t('admin.search')}>
      <Text fw={600}>{t('admin.search')}</Text>
      <Text fz="sm" c="dimmed">
        {t('admin.searchWhat')}
      </Text>
      <Group mt="xs">
        <Button size="xs" variant="default" loading={rebuild.isPending} onClick={() => rebuild.mutate()}>
          {t('admin.rebuild')}
        </Button>
      </Group>
      {rebuild.isError && <ErrorBox error={rebuild.error} />}
    </Card>
  );
}

function PluginsHealth() {
  const { t, label } = useWords();
  const asked = useQuery({ ...pluginsQuery, refetchInterval: LOOK_MS });
  const enabled = asked.data?.filter((plugin) => plugin.state === 'enabled') ?? [];
  return (
    <Card withBorder component="section" aria-label={t('plugins.title')}>
      <Text fw={600} mb="xs">
        {t('plugins.title')}
      </Text>
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      <Group gap="xs">
        {enabled.map((plugin) => {
          const well = (plugin.health?.state ?? 'healthy') === 'healthy';
          return (
            <Badge
              key={plugin.id}
              variant="light"
              color={well ? 'teal' : 'red'}
              c="var(--mantine-color-text)"
              tt="none"
              size="lg"
              renderRoot={(props) => <Link to="/plugins/$id" params={{ id: plugin.id }} {...props} />}
            >
              {label(plugin.name) || plugin.id} · {t(`plugins.health.${plugin.health?.state ?? 'healthy'}`)}
            </Badge>
          );
        })}
      </Group>
    </Card>
  );
}
