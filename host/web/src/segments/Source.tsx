import { Anchor, Badge, Group, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Schemas } from '~/api/client';
import { useWords } from '~/i18n/hooks';

/** Who says so, and as of when. */
export function Source({
  source,
  current,
  stale,
  cleared,
}: Pick<Schemas['Segmentation'], 'source' | 'current' | 'stale' | 'cleared'>) {
  const { t, formats } = useWords();
  const run = current as { as_of?: string; flipped_at?: string } | null | undefined;
  return (
    <Group gap="xs">
      {source?.plugin && (
        <Anchor fz="xs" renderRoot={(props) => <Link to="/plugins/$id" params={{ id: source.plugin ?? '' }} {...props} />}>
          {t('standing.byPlugin', { plugin: source.plugin })}
        </Anchor>
      )}
      {source?.kind === 'filter' && (
        <Text fz="xs" c="dimmed">
          {t('segments.follows')}
        </Text>
      )}
      {source?.kind !== 'filter' && run?.flipped_at && (
        <Text fz="xs" c="dimmed">
          {t('segments.evaluated', { when: formats.ago(run.flipped_at) })}
          {run.as_of && run.as_of !== 'now' && ` · ${t('standing.asOf', { when: formats.date(run.as_of) })}`}
        </Text>
      )}
      {(stale || cleared) && (
        <Badge color="yellow" variant="light" tt="none" c="var(--mantine-color-text)">
          {t('standing.stale')}
        </Badge>
      )}
    </Group>
  );
}
