import { Card, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { segmentationsQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { MembersLink } from '~/segments/MembersLink';

const SEGMENTS_MAX = 3;
const VALUES_MAX = 8;

/** The segmentations with names, each value a way to its list. */
export function Segments() {
  const { t, label, formats } = useWords();
  const segmentations = useQuery(segmentationsQuery);
  const shown = (segmentations.data ?? [])
    .filter(
      (one) => one.values.length > 0 && one.values.length <= VALUES_MAX && one.values.some((value) => !/^\d+$/.test(value.value)),
    )
    .slice(0, SEGMENTS_MAX);
  return (
    <SimpleGrid cols={{ base: 1, md: Math.max(1, Math.min(3, shown.length)) }}>
      {shown.map((segmentation) => (
        <Card key={segmentation.name} withBorder component="section" aria-label={label(segmentation.label)}>
          <Text component="h2" fw={600} mb="xs">
            {label(segmentation.label) || segmentation.name}
          </Text>
          <Stack gap={4}>
            {segmentation.values.map((value) => (
              <Group key={value.value} justify="space-between" wrap="nowrap">
                <Text fz="sm">
                  <MembersLink segmentation={segmentation} value={value} />
                </Text>
                <Text fz="sm" style={{ fontVariantNumeric: 'tabular-nums' }}>
                  {formats.number(value.count)}
                </Text>
              </Group>
            ))}
          </Stack>
          {segmentation.stale && (
            <Text fz="xs" c="dimmed" mt="xs">
              {t('standing.stale')}
            </Text>
          )}
        </Card>
      ))}
    </SimpleGrid>
  );
}
