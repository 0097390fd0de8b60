import { Anchor, Button, Card, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ObjectDefinition, segmentOf } from '~/api/client';
import { type Filter, someQuery } from '~/api/queries';
import { dayOf } from '~/clock';
import { RecordLink } from '~/components/RecordLink';
import { FieldValue } from '~/fields/FieldValue';
import { titleOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';

const TASKS_MAX = 8;

/** What a user has to do, and what nobody has taken yet. */
export function Tasks({ object, user }: { object: ObjectDefinition; user: string }) {
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
