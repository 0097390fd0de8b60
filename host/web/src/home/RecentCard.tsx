import { Card, Group, Stack, Text } from '@mantine/core';
import { useObjects } from '~/api/objects';
import { RecordLink } from '~/components/RecordLink';
import { recent } from '~/components/recent';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';

/** Where one was. */
export function RecentCard() {
  const { t, label } = useWords();
  const objects = useObjects();
  const seen = recent();
  return (
    <Card withBorder component="section" aria-labelledby="home-recent">
      <Text component="h2" id="home-recent" fw={600} mb="xs">
        {t('home.recent')}
      </Text>
      {seen.length === 0 && <Empty title={t('home.noRecent')} />}
      <Stack gap={6}>
        {seen.map(({ object: name, id, title }) => {
          const object = objects.byName(name);
          return (
            object && (
              <Group key={id} justify="space-between" wrap="nowrap">
                <Text fz="sm" truncate>
                  <RecordLink object={object} id={id} title={title} />
                </Text>
                <Text fz="xs" c="dimmed">
                  {label(object.label)}
                </Text>
              </Group>
            )
          );
        })}
      </Stack>
    </Card>
  );
}
