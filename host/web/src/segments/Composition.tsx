import { Loader, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Field, ObjectDefinition, Schemas } from '~/api/client';
import { aggregateQuery, type Filter } from '~/api/queries';
import { optionOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { compared } from './composition';

const GROUPS_MAX = 30;

interface Props {
  readonly object: ObjectDefinition;
  readonly filter: Filter | undefined;
  readonly by: Field;
}

/** How those that are chosen are spread over the values of a field, beside all records. */
export function Composition({ object, filter, by }: Props) {
  const { t, label, formats } = useWords();
  const body = {
    group_by: [{ field: by.name, as: 'group' }],
    aggregates: [{ function: 'count' as const, as: 'records' }],
    limit: GROUPS_MAX,
  };
  const base = useQuery(aggregateQuery(object, body));
  const chosen = useQuery(aggregateQuery(object, { ...body, ...(filter && { filter }) }));
  const error = base.error ?? chosen.error;
  if (error) {
    return <ErrorBox error={error} onRetry={() => void Promise.all([base.refetch(), chosen.refetch()])} />;
  }
  if (!base.data || !chosen.data) {
    return <Loader size="sm" aria-label={t('loading')} />;
  }
  return (
    <Table fz="sm" mt="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{label(by.label)}</Table.Th>
          <Table.Th ta="end">{t('builder.chosen')}</Table.Th>
          <Table.Th ta="end">{t('builder.all')}</Table.Th>
          <Table.Th ta="end">{t('builder.index')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {compared(counts(base.data), counts(chosen.data)).map(({ value, share, baseShare, index }) => (
          <Table.Tr key={String(value)}>
            <Table.Th scope="row">
              {value === null ? t('list.noValue') : label(optionOf(by, value)?.label) || String(value)}
            </Table.Th>
            <Table.Td ta="end">{formats.percent(share)}</Table.Td>
            <Table.Td ta="end">{formats.percent(baseShare)}</Table.Td>
            <Table.Td ta="end" fw={Math.abs(index - 100) >= 20 ? 600 : 400}>
              {formats.number(index, 0)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function counts(aggregated: Schemas['Aggregated']): Map<unknown, number> {
  return new Map(
    aggregated.data.map((group) => [
      (group.keys as { group?: unknown }).group ?? null,
      Number((group.values as { records?: number }).records ?? 0),
    ]),
  );
}
