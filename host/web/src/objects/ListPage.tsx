import { Button, Group, Stack, Title } from '@mantine/core';
import { IconPlus, IconUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import type { ObjectDefinition } from '~/api/client';
import { fieldOf, useObjects } from '~/api/objects';
import { countQuery, serverQuery } from '~/api/queries';
import { NotThere } from '~/components/NotThere';
import { useShortcuts } from '~/components/shortcuts';
import { both } from '~/filters/conditions';
import { useWords } from '~/i18n/hooks';
import { NOTHING_SELECTED, type Selection } from '~/table/RecordTable';
import { BulkBar } from './BulkBar';
import { CalendarBoard, dayFieldOf } from './CalendarBoard';
import { CreateDrawer } from './CreateDrawer';
import { GroupedList } from './GroupedList';
import { KanbanBoard, stageFieldOf } from './KanbanBoard';
import { ListBody } from './ListBody';
import { ListTools } from './ListTools';
import { type ListSearch, NO_GROUP } from './search';
import { ViewTabs } from './ViewTabs';
import { columnsOf, useDerivedFields, viewsQuery } from './views';

const route = getRouteApi('/objects/$objects');

/** The records of an object, as a table, a board or a calendar. */
export function ListPage() {
  const { objects: segment } = route.useParams();
  const object = useObjects().bySegment(segment);
  return object ? <ObjectList key={object.name} object={object} /> : <NotThere what={segment} />;
}

function ObjectList({ object }: { object: ObjectDefinition }) {
  const { t, label } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = useCallback(
    (change: Partial<ListSearch>) => navigate({ search: (old) => clean({ ...old, ...change }), replace: true }),
    [navigate],
  );
  const views = useQuery(viewsQuery(object.name));
  const view = views.data?.find((view) => view.id === search.view);
  const derived = useDerivedFields(object);
  const server = useQuery(serverQuery);
  const currency = server.data?.base_currency ?? 'USD';
  const shown = useMemo(
    () => columnsOf(object, search.columns ?? view?.columns, derived),
    [object, search.columns, view?.columns, derived],
  );
  const filter = both(search.filter ?? view?.filter, undefined);
  const asked = {
    filter,
    q: search.q,
    sort: search.sort ?? view?.sort ?? shown.sort,
    fields: [...new Set([object.title, ...shown.columns.map((field) => field.name)])],
    include: shown.columns.filter((field) => field.type === 'reference').map((field) => field.name),
  };
  const [selection, setSelection] = useState<Selection>(NOTHING_SELECTED);
  const count = useQuery(countQuery(object, asked));
  const mode = search.mode ?? 'table';
  const groupName = search.group ?? view?.groupBy;
  const group =
    groupName && groupName !== NO_GROUP
      ? (fieldOf(object, groupName) ?? derived.find((field) => field.name === groupName))
      : undefined;
  const modes = [
    'table' as const,
    ...(stageFieldOf(object) ? ['kanban' as const] : []),
    ...(dayFieldOf(object) ? ['calendar' as const] : []),
  ];
  useShortcuts({ c: () => void set({ create: true }) });
  return (
    <Stack h="100%" gap="xs" p="md">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Title order={1} fz="h3">
          {label(object.plural_label)}
        </Title>
        <Group gap="xs" wrap="nowrap">
          <Button
            variant="default"
            leftSection={<IconUpload size={16} />}
            visibleFrom="sm"
            renderRoot={(props) => <Link to="/import" search={{ object: object.name }} {...props} />}
          >
            {t('import.title')}
          </Button>
          <Button leftSection={<IconPlus size={16} />} onClick={() => void set({ create: true })}>
            {t('list.create', { object: label(object.label) })}
          </Button>
        </Group>
      </Group>
      <ViewTabs
        {...{ object, search, set }}
        views={views.data ?? []}
        sort={asked.sort}
        columns={shown.columns.map((field) => field.name)}
      />
      <ListTools
        {...{ object, search, set, derived, currency, modes, asked, group }}
        filter={filter}
        columns={shown.columns}
        count={count.data}
      />
      {(selection.all || selection.ids.size > 0) && (
        <BulkBar {...{ object, selection, currency, filter }} q={search.q} total={count.data} onSelect={setSelection} />
      )}
      {mode === 'kanban' && stageFieldOf(object) ? (
        <KanbanBoard object={object} asked={asked} currency={currency} />
      ) : mode === 'calendar' && dayFieldOf(object) ? (
        <CalendarBoard
          object={object}
          filter={filter}
          q={search.q}
          day={search.day}
          span={search.span ?? 'month'}
          onDay={(day) => void set({ day })}
          onSpan={(span) => void set({ span: span === 'month' ? undefined : span })}
        />
      ) : group && !search.q ? (
        <GroupedList key={group.name} object={object} asked={asked} columns={shown.columns} by={group} />
      ) : (
        <ListBody {...{ object, asked, shown, selection, currency, search, set }} total={count.data} onSelect={setSelection} />
      )}
      <CreateDrawer
        object={object}
        currency={currency}
        opened={search.create === true}
        onClose={() => void set({ create: undefined })}
      />
    </Stack>
  );
}

/** An address without what says nothing. */
function clean(search: ListSearch): ListSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
