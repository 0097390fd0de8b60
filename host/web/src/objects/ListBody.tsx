import { Alert, Button, Modal, Skeleton, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { type AnyRecord, type Field, type ObjectDefinition, segmentOf } from '~/api/client';
import { type Asked, aggregateQuery, listQuery } from '~/api/queries';
import { keepOrder } from '~/components/neighbours';
import { RecordLink } from '~/components/RecordLink';
import { FieldValue } from '~/fields/FieldValue';
import { asText, type Included, isMoney } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { isNumber } from '~/table/columns';
import { RecordTable, type Selection } from '~/table/RecordTable';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { EditCell } from './EditCell';
import type { ListSearch } from './search';
import type { Shown } from './views';

const Peek = lazy(() => import('~/record/Peek').then((module) => ({ default: module.Peek })));

const SKELETON_ROWS = 12;

interface Props {
  readonly object: ObjectDefinition;
  readonly asked: Asked;
  readonly shown: Shown;
  readonly selection: Selection;
  readonly onSelect: (selection: Selection) => void;
  readonly total: number | undefined;
  readonly currency: string;
  readonly search: ListSearch;
  readonly set: (change: Partial<ListSearch>) => Promise<void>;
}

/** The rows of a list, or why there are none. */
export function ListBody({ object, asked, shown, selection, onSelect, total, currency, search, set }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const list = useInfiniteQuery(listQuery(object, asked));
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  const included = useMemo(() => merge(list.data?.pages.map((page) => page.included) ?? []), [list.data]);
  const [edited, setEdited] = useState<{ record: AnyRecord; field: Field }>();
  const [editing, editor] = useDisclosure(false);
  const [peeked, setPeeked] = useState<string>();
  useEffect(
    () =>
      keepOrder(
        object.name,
        rows.map((record) => record.id),
      ),
    [object.name, rows],
  );
  const footer = useFooter(object, asked, shown.columns, total);
  const cell = useCallback(
    (record: AnyRecord, field: Field) =>
      field.name === object.title ? (
        <RecordLink object={object} id={record.id} title={asText(record[field.name]) || record.id.slice(0, 8)} />
      ) : (
        <FieldValue field={field} value={record[field.name]} included={included} short />
      ),
    [object, included],
  );
  if (list.isError && !list.data) {
    return (
      <ErrorBox error={list.error} onRetry={() => void list.refetch()}>
        {(search.filter || search.sort || search.view || search.columns) && (
          <Button
            size="xs"
            variant="default"
            onClick={() => void set({ view: undefined, filter: undefined, sort: undefined, columns: undefined })}
          >
            {t('list.showAll')}
          </Button>
        )}
      </ErrorBox>
    );
  }
  if (!list.data) {
    return (
      <Stack gap={6} aria-busy aria-label={t('loading')}>
        {Array.from({ length: SKELETON_ROWS }, (_, row) => (
          <Skeleton key={row} h={36} />
        ))}
      </Stack>
    );
  }
  const narrowed = search.q || search.filter || search.view;
  return (
    <>
      {shown.missing.length > 0 && (
        <Alert color="yellow" variant="light" p="xs">
          {t('list.missingColumns', { columns: shown.missing.join(', ') })}
        </Alert>
      )}
      {list.isError && <ErrorBox error={list.error} onRetry={() => void list.fetchNextPage()} />}
      {rows.length === 0 ? (
        <Empty title={narrowed ? t('list.nothingMatches') : t('list.nothingYet')}>
          {narrowed ? (
            <Button variant="light" onClick={() => void set({ view: undefined, filter: undefined, q: undefined })}>
              {t('list.showAll')}
            </Button>
          ) : (
            <Button variant="light" onClick={() => void set({ create: true })}>
              {t('list.createFirst')}
            </Button>
          )}
        </Empty>
      ) : (
        <RecordTable
          name={object.name}
          caption={t('list.caption', { object: object.plural })}
          columns={shown.columns}
          rows={rows}
          total={total}
          cell={cell}
          footer={footer}
          sort={asked.sort}
          onSort={(sort) => void set({ sort })}
          selection={selection}
          onSelect={onSelect}
          onOpen={(record) =>
            void navigate({ to: '/objects/$objects/$id', params: { objects: segmentOf(object), id: record.id } })
          }
          onPeek={(record) => setPeeked(record.id)}
          onEdit={(record, field) => {
            if (field.writable && field.name !== object.title) {
              setEdited({ record, field });
              editor.open();
            }
          }}
          hasMore={list.hasNextPage && !list.isError}
          loadingMore={list.isFetchingNextPage}
          onMore={list.fetchNextPage}
        />
      )}
      <Suspense>
        {peeked && <Peek object={object} id={peeked} currency={currency} onClose={() => setPeeked(undefined)} />}
      </Suspense>
      <Modal opened={editing} onClose={editor.close} title={edited && asText(edited.record[object.title])} returnFocus>
        {edited && <EditCell object={object} {...edited} currency={currency} onClose={editor.close} />}
      </Modal>
    </>
  );
}

/** Sums of the numbers and amounts that are shown, over all that the list matches. */
function useFooter(object: ObjectDefinition, asked: Asked, columns: readonly Field[], total: number | undefined) {
  const { t, formats } = useWords();
  const summed = columns.filter((field) => isNumber(field) && !field.name.includes('.'));
  const sums = useQuery({
    ...aggregateQuery(object, {
      ...(asked.filter && { filter: asked.filter }),
      aggregates: summed.map((field) => ({ function: 'sum', field: field.name, as: field.name })),
    }),
    // Words of a search are not part of an aggregate.
    enabled: summed.length > 0 && !asked.q,
  });
  const values = sums.data?.data[0]?.values as Record<string, unknown> | undefined;
  return (field: Field) => {
    if (field.name === columns[0]?.name) {
      return total === undefined ? null : t('list.total', { count: total, total: formats.number(total) });
    }
    const value = values?.[field.name];
    return isMoney(value) ? `Σ ${formats.money(value)}` : typeof value === 'number' ? `Σ ${formats.number(value)}` : null;
  };
}

function merge(parts: readonly (Included | undefined)[]): Included {
  const merged: Record<string, Record<string, Readonly<Record<string, unknown>>>> = {};
  for (const part of parts) {
    for (const [plural, records] of Object.entries(part ?? {})) {
      merged[plural] = { ...merged[plural], ...records };
    }
  }
  return merged;
}
