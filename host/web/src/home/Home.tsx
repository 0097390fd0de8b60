import { Button, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconPuzzle, IconScript, IconUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { type ObjectDefinition, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { countQuery, meQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { iconOf } from '~/workspaces/workspaces';
import { FirstSteps } from './FirstSteps';
import { RecentCard } from './RecentCard';
import { Segments } from './Segments';
import { Tasks } from './Tasks';

const COUNTED = ['account', 'contact', 'lead', 'opportunity', 'case', 'order'] as const;

/** What there is, what is to be done, where one was. */
export function Home() {
  const { t } = useWords();
  const objects = useObjects();
  const me = useQuery(meQuery);
  const task = objects.byName('task');
  const counted = COUNTED.map((name) => objects.byName(name)).filter((object) => !!object);
  useEffect(() => {
    document.title = 'Trellis';
  }, []);
  return (
    <Stack p="md">
      <Group justify="space-between">
        <Title order={1} fz="h3">
          {me.data ? t('home.hello', { name: me.data.name ?? me.data.username }) : t('home.title')}
        </Title>
        <Group gap="xs">
          <Button
            variant="default"
            leftSection={<IconUpload size={16} />}
            renderRoot={(props) => <Link to="/import" {...props} />}
          >
            {t('import.title')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconPuzzle size={16} />}
            renderRoot={(props) => <Link to="/plugins" {...props} />}
          >
            {t('plugins.title')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconScript size={16} />}
            renderRoot={(props) => <Link to="/rules" {...props} />}
          >
            {t('rules.title')}
          </Button>
        </Group>
      </Group>
      <FirstSteps />
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }}>
        {counted.map((object) => (
          <Count key={object.name} object={object} />
        ))}
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        {task && me.data && <Tasks object={task} user={me.data.user} />}
        <RecentCard />
      </SimpleGrid>
      <Segments />
    </Stack>
  );
}

function Count({ object }: { object: ObjectDefinition }) {
  const { label, formats } = useWords();
  const count = useQuery(countQuery(object, {}));
  const Icon = iconOf(object.name);
  return (
    <Card
      withBorder
      padding="sm"
      renderRoot={(props) => <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} {...props} />}
    >
      <Group gap="xs" wrap="nowrap">
        <Icon size={18} aria-hidden />
        <Text fz="sm" c="dimmed" truncate>
          {label(object.plural_label)}
        </Text>
      </Group>
      <Text fz="xl" fw={600}>
        {count.isError ? '–' : count.data === undefined ? '…' : formats.number(count.data)}
      </Text>
    </Card>
  );
}
