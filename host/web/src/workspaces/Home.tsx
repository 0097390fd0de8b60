import { Anchor, Button, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconPuzzle, IconScript, IconUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { type ObjectDefinition, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { countQuery, type Filter, meQuery, segmentationsQuery, someQuery } from '~/api/queries';
import { dayOf } from '~/clock';
import { RecordLink } from '~/components/RecordLink';
import { recent } from '~/components/recent';
import { FieldValue } from '~/fields/FieldValue';
import { titleOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { FirstSteps } from './FirstSteps';
import { iconOf } from './workspaces';

const COUNTED = ['account', 'contact', 'lead', 'opportunity', 'case', 'order'] as const;
const TASKS_MAX = 8;
const SEGMENTS_MAX = 3;
const VALUES_MAX = 8;

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

function Tasks({ object, user }: { object: ObjectDefinition; user: string }) {
  const { t, formats } = useWords();
  const filter: Filter = {
    and: [
      { field: 'status', op: 'in', value: ['open', 'in_progress'] },
      {
        or: [
          { field: 'owner', op: 'eq', value: user },
          { field: 'owner', op: 'null', value: true },
        ],
      },
    ],
  };
  const tasks = useQuery(
    someQuery(object, { filter, sort: 'due_on', fields: ['subject', 'due_on', 'account'], include: ['account'] }, TASKS_MAX),
  );
  const due = object.fields.find((field) => field.name === 'due_on');
  return (
    <Card withBorder component="section" aria-labelledby="home-tasks">
      <Group justify="space-between" mb="xs">
        <Text component="h2" id="home-tasks" fw={600}>
          {t('home.tasks')}
        </Text>
        <Anchor
          fz="sm"
          renderRoot={(props) => (
            <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} search={{ filter }} {...props} />
          )}
        >
          {t('home.allTasks')}
        </Anchor>
      </Group>
      {tasks.isError && <ErrorBox error={tasks.error} onRetry={() => void tasks.refetch()} />}
      {tasks.data?.data.length === 0 && (
        <Empty title={t('home.noTasks')}>
          <Button
            size="xs"
            variant="light"
            renderRoot={(props) => (
              <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} search={{ create: true }} {...props} />
            )}
          >
            {t('home.newTask')}
          </Button>
        </Empty>
      )}
      <Stack gap={6}>
        {tasks.data?.data.map((task) => {
          const late = typeof task.due_on === 'string' && task.due_on < dayOf(new Date());
          return (
            <Group key={task.id} justify="space-between" wrap="nowrap">
              <Text fz="sm" truncate>
                <RecordLink object={object} id={task.id} title={titleOf(object, task)} />
              </Text>
              {due && task.due_on !== null && (
                <Text fz="xs" c={late ? 'red' : 'dimmed'} title={late ? t('home.late') : undefined}>
                  <FieldValue field={due} value={task.due_on} short />
                  {late && ` · ${t('home.late')}`}
                </Text>
              )}
            </Group>
          );
        })}
      </Stack>
      <Text fz="xs" c="dimmed" mt="xs">
        {tasks.data?.page.next ? t('home.moreTasks', { max: formats.number(TASKS_MAX) }) : ''}
      </Text>
    </Card>
  );
}

function RecentCard() {
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

/** The segmentations with names, each value a way to its list. */
function Segments() {
  const { t, label, formats } = useWords();
  const objects = useObjects();
  const segmentations = useQuery(segmentationsQuery);
  const shown = (segmentations.data ?? [])
    .filter(
      (one) => one.values.length > 0 && one.values.length <= VALUES_MAX && one.values.some((value) => !/^\d+$/.test(value.value)),
    )
    .slice(0, SEGMENTS_MAX);
  return (
    <SimpleGrid cols={{ base: 1, md: Math.max(1, Math.min(3, shown.length)) }}>
      {shown.map((segmentation) => {
        const object = objects.byName(segmentation.object);
        return (
          <Card key={segmentation.name} withBorder component="section" aria-label={label(segmentation.label)}>
            <Text component="h2" fw={600} mb="xs">
              {label(segmentation.label) || segmentation.name}
            </Text>
            <Stack gap={4}>
              {segmentation.values.map((value) => (
                <Group key={value.value} justify="space-between" wrap="nowrap">
                  {object && (
                    <Anchor
                      fz="sm"
                      renderRoot={(props) => (
                        <Link
                          to="/objects/$objects"
                          params={{ objects: segmentOf(object) }}
                          search={{ filter: { field: `segment.${segmentation.name}`, op: 'in', value: [value.value] } }}
                          {...props}
                        />
                      )}
                    >
                      {label(value.label) || value.value}
                    </Anchor>
                  )}
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
        );
      })}
    </SimpleGrid>
  );
}
