import { Alert, Badge, Card, List, Loader, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '~/api/client';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { type Plugin, reviewQuery } from './plugins';

/** What a version wants, gives, and whether its own tests passed, in plain words. */
export function ReviewTab({ plugin, version = plugin.version }: { plugin: Plugin; version?: string }) {
  const { t, label, formats } = useWords();
  const asked = useQuery(reviewQuery(plugin.id, version));
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  if (!asked.data) {
    return <Loader aria-label={t('loading')} />;
  }
  const { requests, outputs = [], tests, schedule, imports = [], bytes = 0, sdk, diff } = asked.data;
  return (
    <Stack>
      {diff && version !== plugin.version && <Differences diff={diff} />}
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

/** What another version wants otherwise than the one in use. */
function Differences({ diff }: { diff: Schemas['ReviewDiff'] }) {
  const { t } = useWords();
  const settings = diff.settings_changed ?? [];
  const lines = [
    diff.requests.added.length > 0 && t('plugins.diffAdded', { names: diff.requests.added.join(', ') }),
    diff.requests.removed.length > 0 && t('plugins.diffRemoved', { names: diff.requests.removed.join(', ') }),
    settings.length > 0 && t('plugins.diffSettings', { names: settings.join(', ') }),
    ...(diff.config_problems ?? []),
  ].filter((line): line is string => typeof line === 'string');
  return (
    lines.length > 0 && (
      <Alert color="yellow" title={t('plugins.diff')}>
        <List size="sm">
          {lines.map((line) => (
            <List.Item key={line}>{line}</List.Item>
          ))}
        </List>
      </Alert>
    )
  );
}
