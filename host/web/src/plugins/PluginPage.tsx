import { Alert, Badge, Button, Group, Loader, Stack, Tabs, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { ApiError } from '~/api/errors';
import { finished } from '~/api/jobs';
import { NotThere } from '~/components/NotThere';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';
import { Enable } from './Enable';
import { HealthTab } from './HealthTab';
import { forgetPlugin, type Plugin, pluginQuery } from './plugins';
import { QuestionsTab } from './QuestionsTab';
import { ReportTab } from './ReportTab';
import { ReviewTab } from './ReviewTab';
import { RunsTab } from './RunsTab';
import { VersionsTab } from './VersionsTab';

const route = getRouteApi('/plugins/$id');

/** One plugin: what it wants, how it is set, what it found, how it fares. */
export function PluginPage() {
  const { t } = useWords();
  const { id } = route.useParams();
  const asked = useQuery(pluginQuery(id));
  if (asked.error instanceof ApiError && asked.error.status === 404) {
    return <NotThere what={id} />;
  }
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
  const asks = provides.includes('analysis');
  const reports = enabled && provides.includes('model-report');
  // A plugin that was disabled meanwhile has no report any more; some never have one.
  const tab =
    (chosen === 'report' && !reports) || (!enabled && chosen !== 'review' && chosen !== 'versions') ? 'settings' : chosen;
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
            <Button variant="default" renderRoot={(props) => <Link to="/decisions" search={{ plugin: plugin.id }} {...props} />}>
              {t('decisions.title')}
            </Button>
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
          {enabled && asks && <Tabs.Tab value="questions">{t('plugins.tab.questions')}</Tabs.Tab>}
          <Tabs.Tab value="versions">{t('plugins.tab.versions')}</Tabs.Tab>
          {enabled && <Tabs.Tab value="health">{t('plugins.tab.health')}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="report" pt="md">
          <ReportTab id={plugin.id} />
        </Tabs.Panel>
        <Tabs.Panel value="settings" pt="md">
          <Enable plugin={plugin} onDone={() => setTab(enabled ? 'settings' : 'report')} />
        </Tabs.Panel>
        <Tabs.Panel value="review" pt="md">
          <ReviewTab plugin={plugin} />
        </Tabs.Panel>
        <Tabs.Panel value="runs" pt="md">
          <RunsTab id={plugin.id} />
        </Tabs.Panel>
        <Tabs.Panel value="questions" pt="md">
          <QuestionsTab id={plugin.id} />
        </Tabs.Panel>
        <Tabs.Panel value="versions" pt="md">
          <VersionsTab plugin={plugin} />
        </Tabs.Panel>
        <Tabs.Panel value="health" pt="md">
          <HealthTab id={plugin.id} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
