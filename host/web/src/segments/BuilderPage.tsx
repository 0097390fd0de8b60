import { Card, Loader, Select, SimpleGrid, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { ObjectDefinition, Schemas } from '~/api/client';
import { fieldsOf, useObjects } from '~/api/objects';
import { countQuery, type Filter, segmentationQuery, serverQuery } from '~/api/queries';
import { NotThere } from '~/components/NotThere';
import { conditionsOf, filterOf } from '~/filters/conditions';
import { FilterBuilder } from '~/filters/FilterBuilder';
import { useWords } from '~/i18n/hooks';
import { canGroup } from '~/objects/GroupedList';
import { useDerivedFields } from '~/objects/views';
import { ErrorBox } from '~/ui/ErrorBox';
import { Page } from '~/ui/Page';
import { BuilderActions } from './BuilderActions';
import { Composition } from './Composition';

const TYPING_MS = 350;
const route = getRouteApi('/segments/build');

/** Customers by conditions: how many they are while the conditions are written, and how they differ from all. */
export function BuilderPage() {
  const { t, label } = useWords();
  const account = useObjects().byName('account');
  const search = route.useSearch();
  const kept = useQuery({ ...segmentationQuery(search.segmentation ?? ''), enabled: search.segmentation !== undefined });
  if (kept.isError) {
    return <ErrorBox error={kept.error} onRetry={() => void kept.refetch()} />;
  }
  const title = kept.data ? t('builder.titleOf', { segment: label(kept.data.label) || kept.data.name }) : t('builder.title');
  return (
    <Page title={title} what={t('builder.what')}>
      {account === undefined && <NotThere what="account" />}
      {kept.isLoading && <Loader aria-label={t('loading')} />}
      {account && !kept.isLoading && (
        <Builder
          key={search.segmentation}
          object={account}
          segmentation={kept.data}
          filter={kept.data ? (kept.data.source?.filter as Filter | undefined) : search.filter}
        />
      )}
    </Page>
  );
}

interface BuilderProps {
  readonly object: ObjectDefinition;
  /** The segment whose conditions are changed. */
  readonly segmentation: Schemas['Segmentation'] | undefined;
  /** What one begins with. */
  readonly filter: Filter | undefined;
}

function Builder({ object, segmentation, filter: begun }: BuilderProps) {
  const { t, label, formats } = useWords();
  const derived = useDerivedFields(object);
  const server = useQuery(serverQuery);
  const [conditions, setConditions] = useState(() => conditionsOf(begun));
  const [settled] = useDebouncedValue(conditions, TYPING_MS);
  const filter = filterOf(settled);
  const all = useQuery(countQuery(object, {}));
  const matched = useQuery(countQuery(object, { filter }));
  const dimensions = [...derived, ...fieldsOf(object)].filter((field) => field.options?.length && canGroup(field));
  const [chosen, setChosen] = useState<string | null>(null);
  const dimension = dimensions.find((field) => field.name === chosen) ?? dimensions[0];
  const total = all.data ?? 0;
  const count = matched.data;
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }}>
      <Card withBorder>
        <FilterBuilder
          object={object}
          value={conditions}
          onChange={setConditions}
          currency={server.data?.base_currency ?? 'USD'}
          more={derived}
        />
      </Card>
      <Stack>
        <Card withBorder component="section" aria-label={t('builder.size')}>
          {matched.isError ? (
            <ErrorBox error={matched.error} onRetry={() => void matched.refetch()} />
          ) : (
            <Text fz={28} fw={600} role="status" opacity={matched.isPlaceholderData ? 0.5 : 1}>
              {count === undefined ? '…' : formats.number(count)}
              <Text span fz="sm" c="dimmed">
                {' '}
                {t('builder.of', { total: formats.number(total), share: formats.percent(total ? (count ?? 0) / total : 0) })}
              </Text>
            </Text>
          )}
          <BuilderActions object={object} filter={filter} segmentation={segmentation} />
        </Card>
        {dimension && (
          <Card withBorder component="section" aria-label={t('builder.composition')}>
            <Select
              label={t('builder.by')}
              description={t('builder.byWhat')}
              searchable
              allowDeselect={false}
              data={dimensions.map((field) => ({ value: field.name, label: label(field.label) }))}
              value={dimension.name}
              onChange={setChosen}
            />
            <Composition object={object} filter={filter} by={dimension} />
          </Card>
        )}
      </Stack>
    </SimpleGrid>
  );
}
