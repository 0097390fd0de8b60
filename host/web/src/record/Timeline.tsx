import { Button, Card, Chip, Group, Loader, Stack, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AnyRecord, ObjectDefinition } from '~/api/client';
import { type Objects, useObjects } from '~/api/objects';
import { timelineQuery } from '~/api/queries';
import { RecordLink } from '~/components/RecordLink';
import { FieldValue } from '~/fields/FieldValue';
import { asText, isEmpty, optionOf, titleOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { iconOf } from '~/workspaces/workspaces';
import { Composer } from './Composer';
import { NoteText } from './NoteText';

const KINDS = ['interaction', 'comment', 'task', 'event', 'order', 'case', 'opportunity', 'message'] as const;
const FIELDS_MAX = 4;

/** What happened around a record, the newest first, and the place to write down what happens now. */
export function Timeline({ object, record }: { object: ObjectDefinition; record: AnyRecord }) {
  const { t, label } = useWords();
  const objects = useObjects();
  const [kinds, setKinds] = useState<string[]>([]);
  const timeline = useInfiniteQuery(timelineQuery(object, record.id, kinds));
  const items = timeline.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Stack>
      <Composer object={object} record={record} onDone={() => void timeline.refetch()} />
      <Chip.Group multiple value={kinds} onChange={setKinds}>
        <Group gap={6} role="group" aria-label={t('timeline.kinds')}>
          {KINDS.map((kind) => objects.byName(kind))
            .filter((object) => !!object)
            .map((kind) => (
              <Chip key={kind.name} value={kind.name} size="xs">
                {label(kind.label)}
              </Chip>
            ))}
        </Group>
      </Chip.Group>
      {timeline.isError && <ErrorBox error={timeline.error} onRetry={() => void timeline.refetch()} />}
      {timeline.isPending && <Loader size="sm" aria-label={t('loading')} />}
      {timeline.data && items.length === 0 && <Empty title={t('timeline.nothing')} />}
      <Stack component="ol" gap="xs" m={0} p={0} style={{ listStyle: 'none' }}>
        {items.map((item) => (
          <Item
            key={`${item.object}/${asText(item.record.id)}`}
            object={objects.byName(item.object)}
            objects={objects}
            kind={item.kind}
            at={item.at}
            record={item.record}
          />
        ))}
      </Stack>
      {timeline.hasNextPage && (
        <Button variant="subtle" loading={timeline.isFetchingNextPage} onClick={() => void timeline.fetchNextPage()}>
          {t('timeline.earlier')}
        </Button>
      )}
    </Stack>
  );
}

interface ItemProps {
  readonly object: ObjectDefinition | undefined;
  readonly objects: Objects;
  readonly kind: string;
  readonly at: string;
  readonly record: Readonly<Record<string, unknown>>;
}

function Item({ object, kind, at, record }: ItemProps) {
  const { label, formats } = useWords();
  if (!object) {
    return null;
  }
  const Icon = iconOf(object.name);
  const channel = object.fields.find((field) => field.name === 'channel');
  const option = channel && optionOf(channel, kind);
  const kindName = option ? label(option.label) : label(object.label);
  const title = titleOf(object, record);
  const columns = object.layouts?.at(-1)?.columns ?? [];
  const text = asText(record.text ?? record.content ?? record.description ?? record.body);
  const fields = object.fields
    .filter(
      (field) =>
        columns.includes(field.name) && field.name !== object.title && field.type !== 'reference' && !isEmpty(record[field.name]),
    )
    .slice(0, FIELDS_MAX);
  return (
    <Card component="li" withBorder padding="sm">
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <Icon size={20} aria-hidden />
        <Stack gap={2} flex={1} miw={0}>
          <Group justify="space-between" gap="xs">
            <Text fz="sm" fw={600}>
              {object.name === 'comment' ? (
                kindName
              ) : title ? (
                <>
                  {kindName} · <RecordLink object={object} id={asText(record.id)} title={title} />
                </>
              ) : (
                <RecordLink object={object} id={asText(record.id)} title={kindName} />
              )}
            </Text>
            <Text fz="xs" c="dimmed">
              <time dateTime={at} title={formats.time(at)}>
                {isDay(at) ? formats.date(at) : formats.ago(at)}
              </time>
            </Text>
          </Group>
          {text && (
            <Text fz="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }} lineClamp={8}>
              {object.name === 'comment' ? <NoteText text={text} /> : text}
            </Text>
          )}
          {fields.length > 0 && (
            <Group gap="sm">
              {fields.map((field) => (
                <Text key={field.name} fz="xs" c="dimmed" component="span">
                  {label(field.label)}: <FieldValue field={field} value={record[field.name]} short />
                </Text>
              ))}
            </Group>
          )}
        </Stack>
      </Group>
    </Card>
  );
}

/** What has a day and no time lies at its beginning. */
function isDay(at: string): boolean {
  return at.endsWith('T00:00:00Z');
}
