import { Button, Loader, SimpleGrid } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { scoresQuery, segmentationsQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { Page } from '~/ui/Page';
import { byWeight } from './order';
import { ScoreCard } from './ScoreCard';
import { SegmentationCard } from './SegmentationCard';

/** Who belongs where: each segmentation with its values, each score with its bands. */
export function SegmentsPage() {
  const { t } = useWords();
  const segmentations = useQuery(segmentationsQuery);
  const scores = useQuery(scoresQuery);
  const nothing = segmentations.data?.length === 0 && scores.data?.length === 0;
  return (
    <Page
      title={t('segments.title')}
      actions={<Button renderRoot={(props) => <Link to="/segments/build" {...props} />}>{t('builder.title')}</Button>}
    >
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
    </Page>
  );
}
