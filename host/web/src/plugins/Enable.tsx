import { Badge, Button, Card, Checkbox, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { fieldErrors } from '~/api/errors';
import { finished } from '~/api/jobs';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';
import { DryRun } from './DryRun';
import { forgetPlugin, type Plugin } from './plugins';
import { SettingsForm } from './SettingsForm';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** What a plugin is granted and how it is set: before it is enabled, and after. */
export function Enable({ plugin, onDone }: { plugin: Plugin; onDone: () => void }) {
  const { t, label } = useWords();
  const requests = plugin.requests ?? [];
  const inUse = plugin.settings as { config?: Record<string, unknown>; grants?: string[]; as_of?: string } | null | undefined;
  const [config, setConfig] = useState<Readonly<Record<string, unknown>>>(
    () => inUse?.config ?? (plugin.config_default as Record<string, unknown> | null | undefined) ?? {},
  );
  const [grants, setGrants] = useState<readonly string[]>(
    () => inUse?.grants ?? requests.filter((one) => !one.personal).map((one) => one.grant),
  );
  const [asOf, setAsOf] = useState(inUse?.as_of && inUse.as_of !== 'now' ? inUse.as_of : '');
  const dry = useMutation({
    mutationFn: async () =>
      finished(
        await answer(
          api.POST('/api/v1/plugins/{id}/dry-run', {
            params: { path: { id: plugin.id } },
            body: { config, grants: [...grants], as_of: asOf || 'now' },
          }),
        ),
      ),
  });
  const enable = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/v1/plugins/{id}/enable', {
          params: { path: { id: plugin.id } },
          body: { config, grants: [...grants], as_of: asOf || 'now', run: true, confirm: true },
        }),
      ),
    onSuccess: async () => {
      toast(t('plugins.enabled'));
      await forgetPlugin();
      onDone();
    },
  });
  const errors = fieldErrors(enable.error ?? dry.error);
  const ready = asOf === '' || DAY.test(asOf);
  return (
    <Stack maw={820}>
      <Card withBorder>
        <Checkbox.Group
          label={t('plugins.grants')}
          description={t('plugins.grantsHint')}
          value={[...grants]}
          onChange={setGrants}
        >
          <Stack gap="xs" mt="xs">
            {requests.length === 0 && <Text fz="sm">{t('plugins.wantsNothing')}</Text>}
            {requests.map((request) => (
              <Checkbox
                key={request.grant}
                value={request.grant}
                label={
                  <>
                    {label(request.text)}{' '}
                    {request.personal && (
                      <Badge color="orange" size="sm" tt="none">
                        {t('plugins.personal')}
                      </Badge>
                    )}
                  </>
                }
              />
            ))}
          </Stack>
        </Checkbox.Group>
      </Card>
      <Card withBorder>
        <Stack gap="sm">
          <SettingsForm schema={plugin.config_schema} value={config} onChange={setConfig} errors={errors} />
          <TextInput
            label={t('plugins.asOf')}
            description={t('plugins.asOfHint')}
            placeholder="2026-01-31"
            maw={240}
            value={asOf}
            error={ready ? undefined : t('plugins.noDay')}
            onChange={(event) => setAsOf(event.currentTarget.value.trim())}
          />
        </Stack>
      </Card>
      {enable.isError && <ErrorBox error={enable.error} />}
      {dry.isError && <ErrorBox error={dry.error} />}
      {dry.data && <DryRun result={dry.data.result} />}
      <Group>
        <Button variant="default" loading={dry.isPending} disabled={!ready} onClick={() => dry.mutate()}>
          {t('plugins.dryRun')}
        </Button>
        <Button loading={enable.isPending} disabled={!ready} onClick={() => enable.mutate()}>
          {plugin.state === 'enabled' ? t('plugins.apply') : t('plugins.enable')}
        </Button>
      </Group>
    </Stack>
  );
}
