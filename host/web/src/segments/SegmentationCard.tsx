import { Alert, Button, Card, Progress, Table, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { answer, api, type ObjectDefinition, type Schemas, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { toastError } from '~/ui/toasts';
import { MembersLink } from './MembersLink';
import { OwnSegment } from './OwnSegment';
import { Source } from './Source';
import { TransitionsButton } from './Transitions';

const VALUES_SHOWN = 10;

/** The values of a segmentation, each leading to its customers. */
export function SegmentationCard({ segmentation }: { segmentation: Schemas['Segmentation'] }) {
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
              <ValueRow key={value.value} {...{ object, total, segmentation, value }} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {segmentation.values.length > VALUES_SHOWN && (
        <Button size="compact-xs" variant="subtle" onClick={() => setAll(!all)}>
          {all ? t('less') : t('standing.more', { count: segmentation.values.length - VALUES_SHOWN })}
        </Button>
      )}
      {segmentation.source?.kind === 'filter' && <OwnSegment segmentation={segmentation} />}
      {object && segmentation.current && <TransitionsButton segmentation={segmentation} object={object} />}
      {segmentation.source?.kind !== 'filter' && (segmentation.null_count ?? 0) > 0 && (
        <Text fz="xs" c="dimmed">
          {t('segments.none', { count: segmentation.null_count ?? 0 })}
        </Text>
      )}
    </Card>
  );
}

interface RowProps {
  readonly object: ObjectDefinition | undefined;
  readonly segmentation: Schemas['Segmentation'];
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
          params: { path: { segmentation: segmentation.name, value: value.value } },
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
        <MembersLink segmentation={segmentation} value={value} />
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
