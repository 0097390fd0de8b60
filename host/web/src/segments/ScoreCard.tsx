import { Button, Card, Group, Progress, Table, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type Schemas, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { Source } from './Source';

/** How the values of a score are spread. */
export function ScoreCard({ score }: { score: Schemas['Score'] }) {
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
