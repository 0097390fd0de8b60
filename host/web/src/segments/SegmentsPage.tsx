import {
  Alert,
  Anchor,
  Badge,
  Button,
  Card,
  Group,
  Loader,
  Progress,
  SimpleGrid,
  Stack,
  Table,
  Text,
  Title,
} from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { answer, api, type ObjectDefinition, type Schemas, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { scoresQuery, segmentationsQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { toastError } from '~/ui/toasts';
import { byWeight } from './order';

const VALUES_SHOWN = 10;

/** Who belongs where: each segmentation with its values, each score with its bands. */
export function SegmentsPage() {
  const { t } = useWords();
  const segmentations = useQuery(segmentationsQuery);
  const scores = useQuery(scoresQuery);
  useEffect(() => {
    document.title = `${t('segments.title')} · Trellis`;
  }, [t]);
  const nothing = segmentations.data?.length === 0 && scores.data?.length === 0;
  return (
    <Stack p="md">
      <Title order={1} fz="h3">
        {t('segments.title')}
      </Title>
      {segmentations.isError && <ErrorBox error={segmentations.error} onRetry={() => void segmentations.refetch()} />}
      {scores.isError && <ErrorBox error={scores.error} onRetry={() => void scores.refetch()} />}
      {segmentations.isPending && <Loader aria-label={t('loading')} />}
      {nothing && (
        <Empty title={t('segments.nothing')}>
          <Button variant="light" renderRoot={(props) => <Link to="/plugins" {...props} />}>
            {t('plugins.title')}
          </Button>
        </Empty>
      )}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {[...(segmentations.data ?? [])].sort(byWeight).map((one) => (
          <SegmentationCard key={one.name} segmentation={one} />
        ))}
        {scores.data?.map((one) => (
          <ScoreCard key={one.name} score={one} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}

function Source({ source, current, stale, cleared }: Pick<Schemas['Segmentation'], 'source' | 'current' | 'stale' | 'cleared'>) {
  const { t, formats } = useWords();
  const from = source as { plugin?: string } | undefined;
  const run = current as { as_of?: string; flipped_at?: string } | null | undefined;
  return (
    <Group gap="xs">
      {from?.plugin && (
        <Anchor fz="xs" renderRoot={(props) => <Link to="/plugins/$id" params={{ id: from.plugin ?? '' }} {...props} />}>
          {t('standing.byPlugin', { plugin: from.plugin })}
        </Anchor>
      )}
      {run?.flipped_at && (
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

function SegmentationCard({ segmentation }: { segmentation: Schemas['Segmentation'] }) {
  const { t, label } = useWords();
  const object = useObjects().byName(segmentation.object);
  const title = label(segmentation.label) || segmentation.name;
  const [all, setAll] = useState(false);
  const shown = all ? segmentation.values : segmentation.values.slice(0, VALUES_SHOWN);
  const total = segmentation.values.reduce((sum, value) => sum + value.count, segmentation.null_count ?? 0);
  return (
    <Card withBorder component="section" aria-label={title}>
      <Text component="h2" fw={600}>
        {title}
      </Text>
      <Source {...segmentation} />
      {segmentation.damaged && <Alert color="red">{segmentation.damaged}</Alert>}
      <Text fz="sm" c="dimmed" lineClamp={3}>
        {label(segmentation.description)}
      </Text>
      <Table.ScrollContainer minWidth={420} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table fz="sm">
          <Table.Tbody>
            {shown.map((value) => (
              <ValueRow key={value.value} {...{ object, total, segmentation: segmentation.name }} value={value} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {segmentation.values.length > VALUES_SHOWN && (
        <Button size="compact-xs" variant="subtle" onClick={() => setAll(!all)}>
          {all ? t('less') : t('standing.more', { count: segmentation.values.length - VALUES_SHOWN })}
        </Button>
      )}
      {(segmentation.null_count ?? 0) > 0 && (
        <Text fz="xs" c="dimmed">
          {t('segments.none', { count: segmentation.null_count ?? 0 })}
        </Text>
      )}
    </Card>
  );
}

interface RowProps {
  readonly object: ObjectDefinition | undefined;
  readonly segmentation: string;
  readonly value: Schemas['Segmentation']['values'][number];
  readonly total: number;
}

function ValueRow({ object, segmentation, value, total }: RowProps) {
  const { t, label, formats } = useWords();
  const navigate = useNavigate();
  const campaigns = useObjects().byName('campaign');
  const name = label(value.label) || value.value;
  const share = total > 0 ? value.count / total : 0;
  const campaign = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/v1/segments/{segmentation}/{value}/campaign', {
          params: { path: { segmentation, value: value.value } },
          body: { campaign: { name: t('segments.campaignName', { segment: name }), status: 'planned' }, follows: false },
        }),
      ),
    onSuccess: async (made) => {
      await forgetRecords('campaign');
      if (campaigns) {
        void navigate({ to: '/objects/$objects/$id', params: { objects: segmentOf(campaigns), id: made.campaign } });
      }
    },
    onError: toastError,
  });
  return (
    <Table.Tr>
      <Table.Th scope="row">
        {object ? (
          <Anchor
            inherit
            renderRoot={(props) => (
              <Link
                to="/objects/$objects"
                params={{ objects: segmentOf(object) }}
                search={{ filter: { field: `segment.${segmentation}`, op: 'in', value: [value.value] } }}
                {...props}
              />
            )}
          >
            {name}
          </Anchor>
        ) : (
          name
        )}
      </Table.Th>
      <Table.Td ta="end" style={{ fontVariantNumeric: 'tabular-nums' }}>
        {formats.number(value.count)}
      </Table.Td>
      <Table.Td w="35%">
        <Progress value={share * 100} aria-label={t('segments.share', { segment: name, share: formats.percent(share) })} />
      </Table.Td>
      <Table.Td>
        {object?.name === 'account' && campaigns && (
          <Button
            size="compact-xs"
            variant="subtle"
            loading={campaign.isPending}
            disabled={value.count === 0}
            aria-label={t('segments.campaignFor', { segment: name })}
            onClick={() => campaign.mutate()}
          >
            {t('segments.campaign')}
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function ScoreCard({ score }: { score: Schemas['Score'] }) {
  const { t, label, formats } = useWords();
  const object = useObjects().byName(score.object);
  const title = label(score.label) || score.name;
  const total = score.bands.reduce((sum, band) => sum + band.count, 0);
  const number = (value: number | null | undefined) => (typeof value === 'number' ? formats.number(value, 2) : '–');
  return (
    <Card withBorder component="section" aria-label={title}>
      <Group justify="space-between" wrap="nowrap">
        <Text component="h2" fw={600}>
          {title}
        </Text>
        {object && (
          <Button
            size="compact-sm"
            variant="subtle"
            renderRoot={(props) => (
              <Link
                to="/objects/$objects"
                params={{ objects: segmentOf(object) }}
                search={{ sort: `-score.${score.name}`, columns: [object.title, `score.${score.name}`] }}
                {...props}
              />
            )}
          >
            {t('segments.highest')}
          </Button>
        )}
      </Group>
      <Source {...score} />
      <Text fz="sm" c="dimmed" lineClamp={3}>
        {label(score.description)}
      </Text>
      <Text fz="sm" mt="xs">
        {t('segments.spread', {
          lowest: number(score.minimum),
          mean: number(score.mean),
          highest: number(score.maximum),
          unit: label(score.unit),
        })}
      </Text>
      {score.bands.length > 0 && (
        <Table fz="sm">
          <Table.Tbody>
            {score.bands.map((band) => {
              const name = label(band.label) || band.value;
              const share = total > 0 ? band.count / total : 0;
              return (
                <Table.Tr key={band.value}>
                  <Table.Th scope="row">{name}</Table.Th>
                  <Table.Td ta="end">{formats.number(band.count)}</Table.Td>
                  <Table.Td w="45%">
                    <Progress
                      value={share * 100}
                      aria-label={t('segments.share', { segment: name, share: formats.percent(share) })}
                    />
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}
