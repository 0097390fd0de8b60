import { ActionIcon } from '@mantine/core';
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type ObjectDefinition, segmentOf } from '~/api/client';
import { neighboursOf } from '~/components/neighbours';
import { useShortcuts } from '~/components/shortcuts';
import { useWords } from '~/i18n/hooks';

/** To the records before and after this one in the list that it was opened from. */
export function Steps({ object, id }: { object: ObjectDefinition; id: string }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const { previous, next } = neighboursOf(object.name, id);
  const go = (to: string | undefined) =>
    to &&
    void navigate({
      to: '/objects/$objects/$id',
      params: { objects: segmentOf(object), id: to },
      search: (old) => ('tab' in old ? { tab: old.tab } : {}) as never,
      replace: true,
    });
  useShortcuts({ '[': () => go(previous), ']': () => go(next) });
  if (!previous && !next) {
    return null;
  }
  return (
    <ActionIcon.Group>
      <ActionIcon variant="default" size={36} disabled={!previous} aria-label={t('record.previous')} onClick={() => go(previous)}>
        <IconChevronUp size={16} />
      </ActionIcon>
      <ActionIcon variant="default" size={36} disabled={!next} aria-label={t('record.next')} onClick={() => go(next)}>
        <IconChevronDown size={16} />
      </ActionIcon>
    </ActionIcon.Group>
  );
}
