import { Badge, Button, Card, Group, Modal, Stack, Table, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type Schemas } from '~/api/client';
import { Actor } from '~/components/Actor';
import { useWords } from '~/i18n/hooks';
import { ConfirmButton } from '~/ui/ConfirmButton';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';
import { WideTable } from '~/ui/WideTable';
import { forgetPlugin, type Plugin, switchesQuery } from './plugins';
import { ReviewTab } from './ReviewTab';
import { Shadow } from './Shadow';

/** Which versions are there, which is used, how it came to that, and the way back. */
export function VersionsTab({ plugin }: { plugin: Plugin }) {
  const { t, formats } = useWords();
  const [shown, setShown] = useState<string>();
  const params = { path: { id: plugin.id } };
  const enabled = plugin.state === 'enabled';
  const upgrade = useMutation({
    mutationFn: (version: string) =>
      answer(api.POST('/api/v1/plugins/{id}/upgrade', { params, body: { version, confirm: true, run: true } })),
    onSuccess: async () => {
      toast(t('plugins.enabled'));
      await forgetPlugin();
    },
  });
  const remove = useMutation({
    mutationFn: (version: string) =>
      answer(api.DELETE('/api/v1/plugins/{id}/versions/{version}', { params: { path: { id: plugin.id, version } } })),
    onSuccess: forgetPlugin,
  });
  const inUse = (plugin.settings as { version?: string } | null | undefined)?.version;
  return (
    <Stack>
      {upgrade.isError && <ErrorBox error={upgrade.error} />}
      {remove.isError && <ErrorBox error={remove.error} />}
      <WideTable
        minWidth={640}
        head={[
          t('plugins.version'),
          t('plugins.installed'),
          t('plugins.madeWith'),
          <span key="actions" className="only-said">
            {t('record.actions')}
          </span>,
        ]}
      >
        {plugin.versions?.map((version) => {
          const used = enabled && version.version === inUse;
          return (
            <Table.Tr key={version.version}>
              <Table.Td>
                {version.version}{' '}
                {used && (
                  <Badge size="sm" variant="light" c="var(--mantine-color-text)" tt="none">
                    {t('plugins.inUse')}
                  </Badge>
                )}
                {version.broken && (
                  <Text fz="xs" c="var(--mantine-color-error)">
                    {version.broken}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                {formats.time(version.installed_at)} · <Actor actor={version.installed_by} />
              </Table.Td>
              <Table.Td>{[version.sdk, version.wit && `WIT ${version.wit}`].filter(Boolean).join(' · ')}</Table.Td>
              <Table.Td>
                <Group gap="xs" justify="flex-end" wrap="nowrap">
                  <Button
                    size="compact-sm"
                    variant="default"
                    aria-label={t('plugins.reviewOf', { version: version.version })}
                    onClick={() => setShown(version.version)}
                  >
                    {t('plugins.tab.review')}
                  </Button>
                  {enabled && !used && !version.broken && (
                    <Button size="compact-sm" loading={upgrade.isPending} onClick={() => upgrade.mutate(version.version)}>
                      {t('plugins.use')}
                    </Button>
                  )}
                  {!used && (
                    <ConfirmButton
                      size="compact-sm"
                      variant="subtle"
                      color="red"
                      loading={remove.isPending}
                      question={t('plugins.reallyRemove')}
                      onConfirm={() => remove.mutate(version.version)}
                    >
                      {t('plugins.removeVersion')}
                    </ConfirmButton>
                  )}
                </Group>
              </Table.Td>
            </Table.Tr>
          );
        })}
      </WideTable>
      {enabled && <Shadow plugin={plugin} />}
      <Switches id={plugin.id} enabled={enabled} />
      <Modal
        opened={shown !== undefined}
        onClose={() => setShown(undefined)}
        size="xl"
        title={t('plugins.reviewOf', { version: shown ?? '' })}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        {shown && <ReviewTab plugin={plugin} version={shown} />}
      </Modal>
    </Stack>
  );
}

/** Every way in which the plugin was used; one can go back to each. */
function Switches({ id, enabled }: { id: string; enabled: boolean }) {
  const { t } = useWords();
  const asked = useQuery(switchesQuery(id));
  const back = useMutation({
    mutationFn: (number: number) =>
      answer(api.POST('/api/v1/plugins/{id}/roll-back', { params: { path: { id } }, body: { switch: number } })),
    onSuccess: async () => {
      toast(t('plugins.wentBack'));
      await forgetPlugin();
    },
  });
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  const switches = asked.data ?? [];
  return (
    <Card withBorder component="section" aria-label={t('plugins.switches')}>
      <Text fw={600}>{t('plugins.switches')}</Text>
      {asked.data?.length === 0 && <Text fz="sm">{t('plugins.neverUsed')}</Text>}
      {back.isError && <ErrorBox error={back.error} />}
      <Stack gap={4} mt="xs">
        {switches.map((one, place) => (
          <SwitchRow
            key={one.switch}
            one={one}
            earlier={switches[place + 1]}
            back={
              enabled && !one.current ? (
                <Button
                  size="compact-sm"
                  variant="default"
                  loading={back.isPending && back.variables === one.switch}
                  aria-label={t('plugins.backTo', { number: one.switch })}
                  onClick={() => back.mutate(one.switch)}
                >
                  {t('plugins.back')}
                </Button>
              ) : null
            }
          />
        ))}
      </Stack>
    </Card>
  );
}

interface RowProps {
  readonly one: Schemas['PluginSwitch'];
  readonly earlier: Schemas['PluginSwitch'] | undefined;
  readonly back: React.ReactNode;
}

function SwitchRow({ one, earlier, back }: RowProps) {
  const { t, formats } = useWords();
  const settings = changedSettings(earlier?.config, one.config);
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text fz="sm" component="div">
        {one.switch}. {t(`plugins.switch.${one.kind}`)} {one.version}
        {one.as_of && one.as_of !== 'now' && ` · ${one.as_of}`}
        {one.timestamp && ` · ${formats.time(one.timestamp)}`} · <Actor actor={one.actor} />
        {one.current && ` · ${t('plugins.inUse')}`}
        {one.reason && ` · ${one.reason}`}
        {earlier && settings.length > 0 && (
          <Text fz="xs" c="dimmed">
            {settings.join(' · ')}
          </Text>
        )}
      </Text>
      {back}
    </Group>
  );
}

/** `groups: 5 → 4`, for each setting that became another. */
function changedSettings(before: unknown, after: unknown): string[] {
  const [old, next] = [before, after].map((config) => (config ?? {}) as Record<string, unknown>);
  return [...new Set([...Object.keys(old ?? {}), ...Object.keys(next ?? {})])]
    .map((key) => [key, JSON.stringify(old?.[key]), JSON.stringify(next?.[key])] as const)
    .filter(([, was, is]) => was !== is)
    .map(([key, was, is]) => `${key}: ${was ?? '–'} → ${is ?? '–'}`);
}
