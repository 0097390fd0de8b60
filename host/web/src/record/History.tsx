import { Badge, Button, Card, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { answer, api, type ObjectDefinition, type Schemas, segmentOf } from '~/api/client';
import { historyQuery } from '~/api/queries';
import { Actor } from '~/components/Actor';
import { FieldDiff } from '~/fields/FieldDiff';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';

type Entry = Schemas['HistoryEntry'];

/** Every change of a record: who, when, why, what was before and after; each can be taken back. */
export function History({ object, id }: { object: ObjectDefinition; id: string }) {
  const { t } = useWords();
  const history = useInfiniteQuery(historyQuery(object, id));
  const [asked, setAsked] = useState<Entry>();
  const entries = history.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Stack>
      {history.isError && <ErrorBox error={history.error} onRetry={() => void history.refetch()} />}
      {history.isPending && <Loader size="sm" aria-label={t('loading')} />}
      {entries.map((entry) => (
        <EntryCard key={entry.log} object={object} entry={entry} onUndo={() => setAsked(entry)} />
      ))}
      {history.hasNextPage && (
        <Button variant="subtle" loading={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
          {t('timeline.earlier')}
        </Button>
      )}
      <Modal
        opened={asked !== undefined}
        onClose={() => setAsked(undefined)}
        size="lg"
        title={t('undo.title')}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        {asked && <UndoOne object={object} id={id} entry={asked} onClose={() => setAsked(undefined)} />}
      </Modal>
    </Stack>
  );
}

function EntryCard({ object, entry, onUndo }: { object: ObjectDefinition; entry: Entry; onUndo: () => void }) {
  const { t, formats } = useWords();
  const cause = entry.cause as { job?: { kind?: string } | null };
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" align="flex-start">
        <Group gap="xs">
          <Badge variant="light" tt="none">
            {t(`history.${entry.kind}`)}
          </Badge>
          <Text fz="sm" component="div">
            <Actor actor={entry.actor} />
          </Text>
          {cause.job?.kind && (
            <Badge variant="default" tt="none">
              {cause.job.kind}
            </Badge>
          )}
          <Text fz="xs" c="dimmed">
            <time dateTime={entry.timestamp}>{formats.time(entry.timestamp)}</time>
          </Text>
        </Group>
        {!entry.expired && (
          <Button size="compact-sm" variant="subtle" leftSection={<IconArrowBackUp size={14} />} onClick={onUndo}>
            {t('undo.title')}
          </Button>
        )}
      </Group>
      {entry.expired ? (
        <Text fz="xs" c="dimmed">
          {t('history.expired')}
        </Text>
      ) : (
        <FieldDiff object={object} fields={entry.fields} />
      )}
    </Card>
  );
}

function UndoOne({ object, id, entry, onClose }: { object: ObjectDefinition; id: string; entry: Entry; onClose: () => void }) {
  const { t } = useWords();
  const undo = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/v1/{objects}/{id}/undo', {
          params: { path: { objects: segmentOf(object), id } },
          body: { log: entry.log },
        }),
      ),
    onSuccess: ({ undone, item }) => {
      void forgetRecords(object.name);
      toast(undone ? t('undo.done') : (item.message ?? t('undo.notDone')));
      onClose();
    },
  });
  return (
    <Stack>
      <Text fz="sm">{t(entry.kind === 'created' ? 'undo.askCreated' : 'undo.ask')}</Text>
      <FieldDiff object={object} fields={swapped(entry.fields)} />
      {undo.isError && <ErrorBox error={undo.error} />}
      <Group justify="flex-end">
        <Button variant="default" data-autofocus onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button loading={undo.isPending} onClick={() => undo.mutate()}>
          {t('undo.title')}
        </Button>
      </Group>
    </Stack>
  );
}

function swapped(fields: unknown): Record<string, { before: unknown; after: unknown }> | null {
  if (typeof fields !== 'object' || fields === null) {
    return null;
  }
  const entries = Object.entries(fields as Record<string, { before: unknown; after: unknown }>);
  return Object.fromEntries(entries.map(([name, { before, after }]) => [name, { before: after, after: before }]));
}
