import { Anchor, Card as Box, Loader, Progress, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { type Field, type ObjectDefinition, type Schemas, segmentOf } from '~/api/client';
import { fieldOf, useObjects } from '~/api/objects';
import { aggregateQuery, type Filter } from '~/api/queries';
import { isMoney, optionOf } from '~/fields/values';
import { both } from '~/filters/conditions';
import { useWords } from '~/i18n/hooks';
import { useDerivedFields } from '~/objects/views';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import type { Card } from './cards';

const Chart = lazy(() => import('~/reports/Chart').then((module) => ({ default: module.Chart })));

const GROUPS_MAX = 60;

/** A card whose object, or field, this server does not have is left out. */
export function CardView({ title, card }: { title: string; card: Card }) {
  const object = useObjects().byName(card.object);
  return object && !object.retired ? <Known title={title} card={card} object={object} /> : null;
}

function Known({ title, card, object }: { title: string; card: Card; object: ObjectDefinition }) {
  const derived = useDerivedFields(object);
  const by = card.by && (fieldOf(object, card.by.field) ?? derived.find((field) => field.name === card.by?.field));
  if (card.by && !by) {
    return null;
  }
  return <Drawn title={title} card={card} object={object} by={by} />;
}

interface Props {
  readonly card: Card;
  readonly object: ObjectDefinition;
  readonly by: Field | undefined;
}

type Group = Schemas['Aggregated']['data'][number];

function Drawn({ title, card, object, by }: Props & { title: string }) {
  const { t } = useWords();
  const asked = useQuery(
    aggregateQuery(object, {
      ...(card.filter && { filter: card.filter }),
      ...(card.by && { group_by: [{ field: card.by.field, as: 'group', ...(card.by.bucket && { bucket: card.by.bucket }) }] }),
      aggregates: [{ function: card.function ?? 'count', ...(card.field && { field: card.field }), as: 'value' }],
      limit: GROUPS_MAX,
    }),
  );
  const groups = asked.data?.data ?? [];
  return (
    <Box withBorder component="section" aria-label={title}>
      <Text component="h2" fz="sm" c="dimmed">
        {title}
      </Text>
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.isPending && <Loader size="sm" aria-label={t('loading')} />}
      {asked.data && !card.by && <OneNumber card={card} object={object} group={groups[0]} />}
      {asked.data && card.by && groups.length === 0 && <Empty title={t('dashboards.nothing')} />}
      {card.by?.bucket && groups.length > 0 && <OverTime title={title} groups={groups} />}
      {by && !card.by?.bucket && groups.length > 0 && <ByValue {...{ card, object, by, groups }} />}
    </Box>
  );
}

function amountOf(group: Group | undefined): number {
  const value = (group?.values as { value?: unknown } | undefined)?.value;
  return isMoney(value) ? Number(value.amount) : typeof value === 'number' ? value : 0;
}

function useShown() {
  const { formats } = useWords();
  return (group: Group | undefined) => {
    const value = (group?.values as { value?: unknown } | undefined)?.value;
    return isMoney(value) ? formats.money(value) : formats.number(typeof value === 'number' ? value : 0);
  };
}

function OneNumber({ card, object, group }: { card: Card; object: ObjectDefinition; group: Group | undefined }) {
  const shown = useShown();
  return (
    <Text fz={28} fw={600}>
      <Anchor
        inherit
        c="inherit"
        underline="hover"
        renderRoot={(props) => (
          <Link
            to="/objects/$objects"
            params={{ objects: segmentOf(object) }}
            search={card.filter ? { filter: card.filter } : {}}
            {...props}
          />
        )}
      >
        {shown(group)}
      </Anchor>
    </Text>
  );
}

function groupOf(group: Group): unknown {
  return (group.keys as { group?: unknown }).group ?? null;
}

/** The values of a choice in its own order, each leading to its records. */
function ByValue({ card, object, by, groups }: Props & { by: Field; groups: readonly Group[] }) {
  const { t, label } = useWords();
  const shown = useShown();
  const order = (by.options ?? []).map((option) => option.value);
  const place = (group: Group) => {
    const index = order.indexOf(String(groupOf(group)));
    return index < 0 ? order.length : index;
  };
  const largest = Math.max(1, ...groups.map(amountOf));
  return (
    <Table fz="sm">
      <Table.Tbody>
        {[...groups]
          .sort((a, b) => place(a) - place(b))
          .map((group) => {
            const value = groupOf(group);
            const name = value === null ? t('list.noValue') : label(optionOf(by, value)?.label) || String(value);
            const own: Filter =
              value === null ? { field: by.name, op: 'null', value: true } : { field: by.name, op: 'eq', value };
            const filter = both(card.filter, own);
            return (
              <Table.Tr key={String(value)}>
                <Table.Th scope="row">
                  <Anchor
                    inherit
                    renderRoot={(props) => (
                      <Link
                        to="/objects/$objects"
                        params={{ objects: segmentOf(object) }}
                        search={filter ? { filter } : {}}
                        {...props}
                      />
                    )}
                  >
                    {name}
                  </Anchor>
                </Table.Th>
                <Table.Td w="35%">
                  <Progress value={(amountOf(group) / largest) * 100} aria-label={`${name}: ${shown(group)}`} />
                </Table.Td>
                <Table.Td ta="end" style={{ fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' }}>
                  {shown(group)}
                </Table.Td>
              </Table.Tr>
            );
          })}
      </Table.Tbody>
    </Table>
  );
}

function OverTime({ title, groups }: { title: string; groups: readonly Group[] }) {
  const { t, formats } = useWords();
  const option = useMemo(() => {
    const dated = groups.filter((group) => groupOf(group) !== null);
    return {
      aria: { enabled: true },
      animation: false,
      grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
      tooltip: { trigger: 'axis' as const },
      xAxis: { type: 'category' as const, data: dated.map((group) => formats.date(String(groupOf(group)))) },
      yAxis: { type: 'value' as const },
      series: [{ type: 'line' as const, name: title, data: dated.map(amountOf), areaStyle: { opacity: 0.15 } }],
    };
  }, [groups, title, formats]);
  return (
    <Suspense fallback={<Loader size="sm" aria-label={t('loading')} />}>
      <Chart option={option} label={title} />
    </Suspense>
  );
}
