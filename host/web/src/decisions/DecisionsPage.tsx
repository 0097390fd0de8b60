import { Alert, Badge, Button, Card, Code, Group, List, Loader, Select, Text } from '@mantine/core';
import { infiniteQueryOptions, useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { answer, api, type Schemas } from '~/api/client';
import { useObjects } from '~/api/objects';
import { RecordLink } from '~/components/RecordLink';
import { useWords } from '~/i18n/hooks';
import { pluginsQuery } from '~/plugins/plugins';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { Page } from '~/ui/Page';
import { differences } from './differences';

type Decision = Schemas['Decision'];

export interface DecisionSearch {
  readonly plugin?: string;
  readonly rule?: string;
  readonly object?: string;
  readonly record?: string;
}

const route = getRouteApi('/decisions');
const PAGE = 25;

function decisionsQuery(search: DecisionSearch) {
  return infiniteQueryOptions({
    queryKey: ['decisions', search],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/api/v1/decisions', {
          params: { query: { ...search, limit: PAGE, ...(pageParam && { after: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.page.next ?? undefined,
  });
}

/** What plugins and rules decided, why, and what came of it; each can be made again and compared. */
export function DecisionsPage() {
  const { t, label } = useWords();
  const search = route.useSearch();
  const navigate = useNavigate();
  const objects = useObjects();
  const plugins = useQuery(pluginsQuery);
  const asked = useInfiniteQuery(decisionsQuery(search));
  const decisions = asked.data?.pages.flatMap((page) => page.data) ?? [];
  const seek = (change: { plugin?: string | undefined; object?: string | undefined; record?: undefined }) => {
    const next = Object.fromEntries(Object.entries({ ...search, ...change }).filter(([, value]) => value));
    void navigate({ to: '/decisions', search: next, replace: true });
  };
  return (
    <Page title={t('decisions.title')} what={t('decisions.what')}>
      <Group align="flex-end">
        <Select
          label={t('decisions.by')}
          clearable
          searchable
          placeholder={t('decisions.anybody')}
          data={(plugins.data ?? []).map((plugin) => ({ value: plugin.id, label: label(plugin.name) || plugin.id }))}
          value={search.plugin ?? null}
          onChange={(next) => seek({ plugin: next ?? undefined })}
        />
        <Select
          label={t('decisions.about')}
          clearable
          searchable
          placeholder={t('decisions.anything')}
          data={objects.all.filter((one) => !one.retired).map((one) => ({ value: one.name, label: label(one.label) }))}
          value={search.object ?? null}
          onChange={(next) => seek({ object: next ?? undefined, record: undefined })}
        />
      </Group>
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.isPending && <Loader aria-label={t('loading')} />}
      {asked.isSuccess && decisions.length === 0 && <Empty title={t('decisions.nothing')} />}
      {decisions.map((decision) => (
        <DecisionCard key={decision.id} decision={decision} />
      ))}
      {asked.hasNextPage && (
        <Group>
          <Button variant="default" loading={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
            {t('timeline.earlier')}
          </Button>
        </Group>
      )}
    </Page>
  );
}

const STATES: Readonly<Record<Decision['actions'][number]['state'], string>> = {
  pending: 'gray',
  applied: 'teal',
  unchanged: 'gray',
  refused: 'red',
};

function DecisionCard({ decision }: { decision: Decision }) {
  const { t, label, formats } = useWords();
  const object = useObjects().byName(decision.object);
  const { by } = decision;
  const replay = useMutation({
    mutationFn: () => answer(api.POST('/api/v1/decisions/{id}/replay', { params: { path: { id: decision.id } }, body: {} })),
  });
  return (
    <Card withBorder padding="sm" component="section" aria-label={`${decision.kind} ${label(by.name) || by.id}`}>
      <Group justify="space-between" align="flex-start">
        <Group gap="xs">
          <Badge variant="light" c="var(--mantine-color-text)" tt="none">
            {decision.kind}
          </Badge>
          <Text fz="sm" fw={500}>
            {label(by.name) || by.id} {String(by.version)}
          </Text>
          {object && (
            <Text fz="sm" component="div">
              <RecordLink object={object} id={decision.record} />
            </Text>
          )}
          <Text fz="xs" c="dimmed">
            <time dateTime={decision.timestamp}>{formats.time(decision.timestamp)}</time>
          </Text>
        </Group>
        {decision.can_be_replayed && (
          <Button size="compact-sm" variant="default" loading={replay.isPending} onClick={() => replay.mutate()}>
            {t('decisions.replay')}
          </Button>
        )}
      </Group>
      {decision.reasons.length > 0 && (
        <List size="sm" mt="xs">
          {decision.reasons.map((reason) => (
            <List.Item key={`${reason.code}${reason.text}`}>{reason.text}</List.Item>
          ))}
        </List>
      )}
      {decision.actions.map((action, place) => (
        <Group key={place} gap="xs" mt={4}>
          <Badge size="sm" variant="light" color={STATES[action.state]} c="var(--mantine-color-text)" tt="none">
            {t(`decisions.state.${action.state}`)}
          </Badge>
          <Text fz="sm">{action.kind}</Text>
          {action.message && <Text fz="sm">{action.message}</Text>}
        </Group>
      ))}
      {replay.isError && <ErrorBox error={replay.error} />}
      {replay.data && <Replayed replay={replay.data} />}
    </Card>
  );
}

function Replayed({ replay }: { replay: Schemas['DecisionReplay'] }) {
  const { t } = useWords();
  if (replay.same) {
    return (
      <Alert color="teal" mt="xs" role="status">
        {t('decisions.same')}
      </Alert>
    );
  }
  return (
    <Alert color="yellow" mt="xs" title={t('decisions.different')} role="status">
      <List size="sm">
        {differences(replay.recorded, replay.replayed).map(({ at, before, after }) => (
          <List.Item key={at}>
            <Code>{at}</Code> {JSON.stringify(before)} → {JSON.stringify(after)}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
