import { Badge, Button, Card, Group, Loader, Text } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type Schemas } from '~/api/client';
import { useObjects } from '~/api/objects';
import { Actor } from '~/components/Actor';
import { RecordLink } from '~/components/RecordLink';
import { FieldDiff } from '~/fields/FieldDiff';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { Page } from '~/ui/Page';
import { Steps as SchemaSteps } from './PlanReview';

type Change = Schemas['Change'];

const LOOK_MS = 3_000;
const SHOWN = 30;
/** `http.changes_max` of the server, as it is by default. */
const SHOWN_MAX = 1_000;

/** Everything that happened, the newest first, while it happens. */
export function ChangesPage() {
  const { t } = useWords();
  const [count, setCount] = useState(SHOWN);
  const asked = useQuery({
    queryKey: ['changes', count],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/api/v1/changes', { params: { query: { last: count, limit: count } }, signal }))).data,
    refetchInterval: LOOK_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <Page title={t('admin.changes')} what={t('admin.changesWhat')}>
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.isPending && <Loader aria-label={t('loading')} />}
      {asked.data?.length === 0 && <Empty title={t('timeline.nothing')} />}
      {asked.data?.toReversed().map((change) => (
        <ChangeCard key={change.number} change={change} />
      ))}
      {(asked.data?.length ?? 0) >= count && count < SHOWN_MAX && (
        <Group>
          <Button
            variant="default"
            loading={asked.isPlaceholderData}
            onClick={() => setCount(Math.min(count + 2 * SHOWN, SHOWN_MAX))}
          >
            {t('timeline.earlier')}
          </Button>
        </Group>
      )}
    </Page>
  );
}

function ChangeCard({ change }: { change: Change }) {
  const { t, formats } = useWords();
  const objects = useObjects();
  const { job, depth = 0 } = change.cause as { job?: { kind?: string } | null; depth?: number };
  return (
    <Card withBorder padding="sm">
      <Group gap="xs">
        <Text fz="xs" c="dimmed">
          {formats.number(change.number)}
        </Text>
        <Text fz="sm" component="div">
          <Actor actor={change.actor} />
        </Text>
        {change.event && (
          <Badge variant="light" c="var(--mantine-color-text)" tt="none">
            {change.event.type}
          </Badge>
        )}
        {job?.kind && (
          <Badge variant="default" tt="none">
            {job.kind}
          </Badge>
        )}
        {depth > 0 && (
          <Badge variant="default" tt="none">
            {t('admin.reaction', { depth })}
          </Badge>
        )}
        <Text fz="xs" c="dimmed">
          <time dateTime={change.timestamp}>{formats.time(change.timestamp)}</time>
        </Text>
      </Group>
      <About data={change.event?.data} />
      {change.changes?.map(({ type, object: name, id, fields }) => {
        const object = objects.byName(name);
        return (
          <div key={`${type}${id}`}>
            <Group gap="xs" mt={4}>
              <Text fz="sm" fw={500}>
                {type}
              </Text>
              {object && (
                <Text fz="sm" component="div">
                  <RecordLink object={object} id={id} />
                </Text>
              )}
            </Group>
            {object && <FieldDiff object={object} fields={fields} />}
          </div>
        );
      })}
    </Card>
  );
}

/** What an event says beside its name: the steps of a change of the schema, else its short facts. */
function About({ data }: { data: unknown }) {
  if (typeof data !== 'object' || data === null) {
    return null;
  }
  if ('steps' in data && Array.isArray(data.steps)) {
    return <SchemaSteps steps={data.steps} />;
  }
  const facts = Object.entries(data).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return (
    <Text fz="xs" c="dimmed">
      {facts.map(([name, value]) => `${name}: ${value}`).join(' · ')}
    </Text>
  );
}
