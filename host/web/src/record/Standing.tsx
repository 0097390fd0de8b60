import { Button, Card, Group, List, Loader, Popover, Stack, Text } from '@mantine/core';
import { IconHelpCircle } from '@tabler/icons-react';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AnyRecord, ObjectDefinition, Schemas } from '~/api/client';
import { explanationQuery, scoreExplanationQuery, scoresQuery, scoreValuesQuery, segmentationsQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { byWeight } from '~/segments/order';
import { ErrorBox } from '~/ui/ErrorBox';

/** Of segmentations so many are shown at once; parts of others (a single digit of a cell) come after those with a name of their own. */
const SHOWN_MAX = 6;

interface Props {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
}

/** Where a customer stands: segments and scores, each with why. */
export function Standing({ object, record }: Props) {
  const { t, label } = useWords();
  const [all, setAll] = useState(false);
  const segmentations = useQuery(segmentationsQuery);
  const scores = useQuery(scoresQuery);
  const segments = membershipsOf(record);
  const shown = (segmentations.data ?? [])
    .filter((one) => one.object === object.name && segments[one.name] !== undefined && segments[one.name] !== null)
    .sort(byWeight);
  const numbers = (scores.data ?? []).filter((one) => one.object === object.name && !one.cleared);
  const values = useQuery(
    scoreValuesQuery(
      object,
      record.id,
      numbers.map(({ name }) => name),
    ),
  );
  const scored = numbers.flatMap((score) => {
    const value = values.data?.[`score.${score.name}`];
    return typeof value === 'number' ? [{ score, value }] : [];
  });
  if (shown.length === 0 && scored.length === 0) {
    return null;
  }
  return (
    <Card withBorder padding="sm">
      <Stack gap={6}>
        <Text component="h2" fz="sm" fw={600}>
          {t('standing.title')}
        </Text>
        {(all ? shown : shown.slice(0, SHOWN_MAX)).map((segmentation) => {
          const value = segments[segmentation.name];
          const known = segmentation.values.find((one) => one.value === value);
          // The one value of a segment of one's own is called as the segment.
          const isOwn = segmentation.source?.kind === 'filter';
          return (
            <Why
              key={segmentation.name}
              name={label(segmentation.label) || segmentation.name}
              value={isOwn ? t('segments.member') : known?.label ? label(known.label) : String(value)}
              stale={segmentation.stale === true}
              source={segmentation}
              about={known?.description ? label(known.description) : ''}
            >
              {() => <SegmentReasons segmentation={segmentation.name} id={record.id} />}
            </Why>
          );
        })}
        {shown.length > SHOWN_MAX && (
          <Button size="compact-xs" variant="subtle" onClick={() => setAll(!all)}>
            {all ? t('less') : t('standing.more', { count: shown.length - SHOWN_MAX })}
          </Button>
        )}
        {scored.map(({ score, value }) => (
          <ScoreRow key={score.name} score={score} id={record.id} value={value} />
        ))}
      </Stack>
    </Card>
  );
}

function membershipsOf(record: AnyRecord): Record<string, unknown> {
  return typeof record.segments === 'object' && record.segments !== null ? (record.segments as Record<string, unknown>) : {};
}

interface WhyProps {
  readonly name: string;
  readonly value: string;
  readonly stale: boolean;
  readonly source: { source?: unknown; current?: unknown };
  readonly about: string;
  readonly children: () => React.ReactNode;
}

/** A value with a button that says why it is so, who says so, and as of when. */
function Why({ name, value, stale, source, about, children }: WhyProps) {
  const { t } = useWords();
  const [opened, setOpened] = useState(false);
  return (
    <Group justify="space-between" gap={4}>
      <Text fz="xs" c="dimmed">
        {name}
      </Text>
      <Popover opened={opened} onChange={setOpened} width={340} position="right-start" withArrow shadow="md" trapFocus>
        <Popover.Target>
          <Button
            size="compact-sm"
            variant={stale ? 'default' : 'light'}
            rightSection={<IconHelpCircle size={14} aria-hidden />}
            aria-label={t('standing.why', { name, value })}
            onClick={() => setOpened(!opened)}
            maw="100%"
            ml="auto"
          >
            {value}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <Stack gap="xs">
            <Text fz="sm" fw={600}>
              {name}: {value}
            </Text>
            {about && <Text fz="xs">{about}</Text>}
            {opened && children()}
            <SourceOf source={source} stale={stale} />
          </Stack>
        </Popover.Dropdown>
      </Popover>
    </Group>
  );
}

function SourceOf({ source: { source, current }, stale }: { source: { source?: unknown; current?: unknown }; stale: boolean }) {
  const { t, formats } = useWords();
  const from = source as { kind?: string; plugin?: string } | undefined;
  const run = current as { as_of?: string; flipped_at?: string } | null | undefined;
  const asOf =
    !run?.as_of || run.as_of === 'now' ? (run?.flipped_at ? formats.time(run.flipped_at) : '') : formats.date(run.as_of);
  return (
    <Text fz="xs" c="dimmed">
      {from?.plugin
        ? t('standing.byPlugin', { plugin: from.plugin })
        : t(from?.kind === 'filter' ? 'standing.byFilter' : 'standing.byHost')}
      {asOf && ` · ${t('standing.asOf', { when: asOf })}`}
      {stale && ` · ${t('standing.stale')}`}
    </Text>
  );
}

function SegmentReasons({ segmentation, id }: { segmentation: string; id: string }) {
  const asked = useQuery(explanationQuery(segmentation, id));
  return <Reasons asked={asked} />;
}

function Reasons({ asked }: { asked: UseQueryResult<{ readonly reasons: readonly Schemas['Reason'][] }> }) {
  const { t } = useWords();
  if (asked.isError) {
    return <ErrorBox error={asked.error} />;
  }
  if (!asked.data) {
    return <Loader size="xs" aria-label={t('loading')} />;
  }
  return asked.data.reasons.length === 0 ? (
    <Text fz="xs">{t('standing.noReasons')}</Text>
  ) : (
    <List size="xs" spacing={4}>
      {asked.data.reasons.map((reason) => (
        <List.Item key={reason.code + reason.text}>{reason.text}</List.Item>
      ))}
    </List>
  );
}

interface ScoreProps {
  readonly score: Schemas['Score'];
  readonly id: string;
  readonly value: number;
}

function ScoreRow({ score, id, value }: ScoreProps) {
  const { label, formats } = useWords();
  // Bands stand in the order of their lowest values; what is below all of them is in the first.
  const band = score.bands.findLast((one) => one.lowest <= value) ?? score.bands[0];
  const unit = label(score.unit);
  const number = `${formats.number(value, 2)}${unit && ` ${unit}`}`;
  return (
    <Why
      name={label(score.label) || score.name}
      value={band?.label ? `${label(band.label)} (${number})` : number}
      stale={score.stale === true}
      source={score}
      about={band?.description ? label(band.description) : ''}
    >
      {() => <ScoreReasons score={score.name} id={id} />}
    </Why>
  );
}

function ScoreReasons({ score, id }: { score: string; id: string }) {
  const asked = useQuery(scoreExplanationQuery(score, id));
  return <Reasons asked={asked} />;
}
