import { Button, Group, Loader, Modal, Stack, Table, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type ObjectDefinition, type Schemas } from '~/api/client';
import { RecordLink } from '~/components/RecordLink';
import { titleOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { WideTable } from '~/ui/WideTable';

const SHOWN_MAX = 100;

type Count = Schemas['SegmentTransitions']['counts'][number];

interface Props {
  readonly segmentation: Schemas['Segmentation'];
  readonly object: ObjectDefinition;
}

/** Who entered and left the segments by the run before the current one and since. */
export function TransitionsButton({ segmentation, object }: Props) {
  const { t, label } = useWords();
  const [opened, dialog] = useDisclosure(false);
  const title = `${label(segmentation.label) || segmentation.name} · ${t('transitions.title')}`;
  return (
    <>
      <Button size="compact-xs" variant="subtle" style={{ alignSelf: 'flex-start' }} onClick={dialog.open}>
        {t('transitions.title')}
      </Button>
      <Modal opened={opened} onClose={dialog.close} size="lg" title={title} closeButtonProps={{ 'aria-label': t('close') }}>
        {opened && <Transitions segmentation={segmentation} object={object} />}
      </Modal>
    </>
  );
}

function Transitions({ segmentation, object }: Props) {
  const { t, label, formats } = useWords();
  const [chosen, setChosen] = useState<Count>();
  const asked = useQuery({
    queryKey: ['segmentations', segmentation.name, 'transitions', chosen?.before, chosen?.value],
    queryFn: ({ signal }) => {
      const query = {
        fields: object.title,
        limit: SHOWN_MAX,
        // No value is asked for as an empty text.
        ...(chosen && { entered: chosen.value ?? '', left: chosen.before ?? '' }),
      };
      const params = { path: { segmentation: segmentation.name }, query };
      return answer(api.GET('/api/v1/segmentations/{segmentation}/transitions', { params, signal }));
    },
    placeholderData: (before) => before,
  });
  const nameOf = (value: string | null) =>
    value === null ? t('transitions.none') : label(segmentation.values.find((one) => one.value === value)?.label) || value;
  const since = (segmentation.current as { flipped_at?: string } | null | undefined)?.flipped_at;
  // Whoever meets conditions of one's own is compared with the day before.
  const isOwn = segmentation.source?.kind === 'filter';
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  if (!asked.data) {
    return <Loader aria-label={t('loading')} />;
  }
  if (!asked.data.previous) {
    return <Empty title={isOwn ? t('transitions.tomorrow') : t('transitions.first')} />;
  }
  const counts = asked.data.counts.toSorted((one, other) => other.count - one.count);
  const moved = asked.data.data;
  return (
    <Stack>
      <Text fz="sm" c="dimmed">
        {t(isOwn ? 'transitions.sinceDay' : 'transitions.since', { when: since ? formats.time(since) : '–' })}
      </Text>
      {counts.length === 0 && <Empty title={t('transitions.nobody')} />}
      {counts.length > 0 && (
        <WideTable minWidth={420} head={[t('transitions.from'), t('transitions.to'), t('transitions.count')]}>
          {counts.map((count) => (
            <Table.Tr key={`${count.before} ${count.value}`}>
              <Table.Td>{nameOf(count.before)}</Table.Td>
              <Table.Td>{nameOf(count.value)}</Table.Td>
              <Table.Td>
                <Button
                  size="compact-xs"
                  variant={isSame(count, chosen) ? 'filled' : 'subtle'}
                  aria-pressed={isSame(count, chosen)}
                  aria-label={t('transitions.show', {
                    count: count.count,
                    from: nameOf(count.before),
                    to: nameOf(count.value),
                  })}
                  onClick={() => setChosen(isSame(count, chosen) ? undefined : count)}
                >
                  {formats.number(count.count)}
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </WideTable>
      )}
      {moved.length > 0 && (
        <Stack gap={4} component="ul" p={0} m={0} style={{ listStyle: 'none' }} aria-label={t('transitions.who')}>
          {moved.map((one) => (
            <Group key={one.id} component="li" gap="xs">
              <RecordLink object={object} id={one.id} title={titleOf(object, { ...one.record, id: one.id })} />
              <Text fz="xs" c="dimmed">
                {nameOf(one.before)} → {nameOf(one.value)}
              </Text>
            </Group>
          ))}
        </Stack>
      )}
      {asked.data.page.next && (
        <Text fz="xs" c="dimmed">
          {t('transitions.more', { count: SHOWN_MAX })}
        </Text>
      )}
    </Stack>
  );
}

function isSame(one: Count, other: Count | undefined): boolean {
  return other !== undefined && one.before === other.before && one.value === other.value;
}
