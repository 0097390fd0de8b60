import { Alert, Button, Card, Group, List, Select, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type Schemas } from '~/api/client';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';
import { forgetPlugin, type Plugin, shadowQuery } from './plugins';
import { SettingsForm } from './SettingsForm';

/** A version, or other settings, that are evaluated beside what is in use; nothing of it is applied until it is promoted. */
export function Shadow({ plugin }: { plugin: Plugin }) {
  const { t } = useWords();
  const asked = useQuery(shadowQuery(plugin.id));
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  return (
    <Card withBorder component="section" aria-label={t('shadow.title')}>
      <Text fw={600}>{t('shadow.title')}</Text>
      <Text fz="sm" c="dimmed">
        {t('shadow.what')}
      </Text>
      {asked.data === null && <StartShadow plugin={plugin} />}
      {asked.data && <RunningShadow id={plugin.id} shadow={asked.data} />}
    </Card>
  );
}

function StartShadow({ plugin }: { plugin: Plugin }) {
  const { t } = useWords();
  const inUse = plugin.settings as { version?: string; config?: Record<string, unknown> } | null | undefined;
  const [version, setVersion] = useState(inUse?.version ?? plugin.version);
  const [config, setConfig] = useState<Readonly<Record<string, unknown>>>(inUse?.config ?? {});
  const [open, setOpen] = useState(false);
  const start = useMutation({
    mutationFn: () =>
      answer(api.POST('/api/v1/plugins/{id}/shadow', { params: { path: { id: plugin.id } }, body: { version, config } })),
    onSuccess: async () => {
      toast(t('shadow.started'));
      await forgetPlugin();
    },
  });
  if (!open) {
    return (
      <Group mt="xs">
        <Button size="xs" variant="default" onClick={() => setOpen(true)}>
          {t('shadow.prepare')}
        </Button>
      </Group>
    );
  }
  return (
    <Stack mt="xs">
      <Select
        label={t('plugins.version')}
        allowDeselect={false}
        data={(plugin.versions ?? []).filter((one) => !one.broken).map((one) => one.version)}
        value={version}
        onChange={(next) => next && setVersion(next)}
        maw={200}
      />
      <SettingsForm schema={plugin.config_schema} value={config} onChange={setConfig} errors={{}} />
      {start.isError && <ErrorBox error={start.error} />}
      <Group>
        <Button loading={start.isPending} onClick={() => start.mutate()}>
          {t('shadow.start')}
        </Button>
        <Button variant="default" onClick={() => setOpen(false)}>
          {t('cancel')}
        </Button>
      </Group>
    </Stack>
  );
}

function RunningShadow({ id, shadow }: { id: string; shadow: Schemas['Shadow'] }) {
  const { t, label, formats } = useWords();
  const params = { path: { id } };
  const promote = useMutation({
    mutationFn: (ignore_thresholds: boolean) =>
      answer(api.POST('/api/v1/plugins/{id}/promote', { params, body: { ignore_thresholds } })),
    onSuccess: async () => {
      toast(t('shadow.promoted'));
      await forgetPlugin();
    },
  });
  const end = useMutation({
    mutationFn: () => answer(api.DELETE('/api/v1/plugins/{id}/shadow', { params })),
    onSuccess: forgetPlugin,
  });
  const { verdict } = shadow;
  const share = (changed: number, of: number) =>
    t('shadow.share', {
      changed: formats.number(changed),
      of: formats.number(of),
      share: formats.percent(of > 0 ? changed / of : 0),
    });
  return (
    <Stack mt="xs" gap="xs">
      <Text fz="sm">
        {t('shadow.compares', { shadow: shadow.version, used: shadow.version_in_use ?? '–' })}
        {shadow.started_at_ms !== undefined && ` · ${formats.ago(new Date(shadow.started_at_ms).toISOString())}`}
      </Text>
      <List size="sm">
        <List.Item>
          {t('shadow.rows')}: {share(verdict.rows_changed, verdict.rows)}
        </List.Item>
        <List.Item>
          {t('shadow.decisions')}: {share(verdict.decisions_changed, verdict.decisions)}
        </List.Item>
        <List.Item>
          {t('plugins.metric.faults')}: {formats.number(verdict.faults)}
        </List.Item>
      </List>
      {verdict.may_be_promoted ? (
        <Alert color="teal">{t('shadow.fine')}</Alert>
      ) : (
        <Alert color="yellow" title={t('shadow.against')}>
          <List size="sm">
            {verdict.against.map((reason) => (
              <List.Item key={reason.en}>{label(reason)}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      {promote.isError && <ErrorBox error={promote.error} />}
      {end.isError && <ErrorBox error={end.error} />}
      <Group>
        <Button
          color={verdict.may_be_promoted ? 'trellis' : 'red'}
          loading={promote.isPending}
          onClick={() => promote.mutate(!verdict.may_be_promoted)}
        >
          {t(verdict.may_be_promoted ? 'shadow.promote' : 'shadow.promoteAnyway')}
        </Button>
        <Button variant="default" loading={end.isPending} onClick={() => end.mutate()}>
          {t('shadow.end')}
        </Button>
      </Group>
    </Stack>
  );
}
