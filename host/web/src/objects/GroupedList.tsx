import { Accordion, Anchor, Badge, Group, Skeleton, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type Field, type ObjectDefinition, type Schemas, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { type Asked, aggregateQuery, type Filter, someQuery, titleQuery } from '~/api/queries';
import { RecordLink } from '~/components/RecordLink';
import { FieldValue } from '~/fields/FieldValue';
import { asText, isMoney, optionOf } from '~/fields/values';
import { both } from '~/filters/conditions';
import { useWords } from '~/i18n/hooks';
import { isNumber } from '~/table/columns';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';

const GROUPS_MAX = 100;
const ROWS_MAX = 20;

/** Fields whose values make groups that one can read. */
export function canGroup(field: Field): boolean {
  return ['choice', 'bool', 'reference', 'date', 'text'].includes(field.type) && (field.characters_max ?? 0) <= 300;
}

interface Props {
  readonly object: ObjectDefinition;
  readonly asked: Asked;
  readonly columns: readonly Field[];
  readonly by: Field;
}

type GroupOf = Schemas['Aggregated']['data'][number];

/** The records of a list under the values of a field, with counts and sums; a group opens to its first rows. */
export function GroupedList({ object, asked, columns, by }: Props) {
  const { t } = useWords();
  const summed = columns.filter((field) => isNumber(field) && !field.name.includes('.'));
  const [open, setOpen] = useState<string[]>([]);
  const groups = useQuery(
    aggregateQuery(object, {
      ...(asked.filter && { filter: asked.filter }),
      group_by: [{ field: by.name, as: 'group', ...(by.type === 'date' && { bucket: 'month' as const }) }],
      aggregates: [
        { function: 'count', as: 'records' },
        ...summed.map((field) => ({ function: 'sum' as const, field: field.name, as: field.name })),
      ],
      sort: '-records',
      limit: GROUPS_MAX,
    }),
  );
  if (groups.isError) {
    return <ErrorBox error={groups.error} onRetry={() => void groups.refetch()} />;
  }
  if (!groups.data) {
    return (
      <Stack gap={6} aria-busy aria-label={t('loading')} role="status">
        <Skeleton h={40} />
        <Skeleton h={40} />
      </Stack>
    );
  }
  if (groups.data.data.length === 0) {
    return <Empty title={t('list.nothingMatches')} />;
  }
  return (
    <Stack gap="xs" style={{ overflowY: 'auto' }} flex={1} mih={0}>
      <Accordion multiple variant="separated" value={open} onChange={setOpen}>
        {groups.data.data.map((group) => {
          const key = keyOf(group);
          return (
            <Accordion.Item key={key} value={key}>
              <Accordion.Control>
                <GroupHead {...{ object, by, group, summed }} />
              </Accordion.Control>
              <Accordion.Panel>{open.includes(key) && <GroupRows {...{ object, asked, columns, by, group }} />}</Accordion.Panel>
            </Accordion.Item>
          );
        })}
      </Accordion>
      {groups.data.truncated && (
        <Text fz="sm" c="dimmed">
          {t('list.moreGroups', { count: GROUPS_MAX })}
        </Text>
      )}
    </Stack>
  );
}

function groupValue(group: GroupOf): unknown {
  return (group.keys as Readonly<Record<string, unknown>>).group ?? null;
}

function keyOf(group: GroupOf): string {
  return JSON.stringify(groupValue(group));
}

function GroupHead({
  object,
  by,
  group,
  summed,
}: {
  object: ObjectDefinition;
  by: Field;
  group: GroupOf;
  summed: readonly Field[];
}) {
  const { label, formats } = useWords();
  const values = group.values as Readonly<Record<string, unknown>>;
  const value = groupValue(group);
  return (
    <Group justify="space-between" pr="sm">
      <Group gap="xs">
        <Text component="span" fw={600} fz="sm">
          <GroupName object={object} by={by} value={value} />
        </Text>
        <Badge variant="default">{formats.number(group.count)}</Badge>
      </Group>
      <Group gap="md">
        {summed.map((field) => {
          const sum = values[field.name];
          return (
            <Text key={field.name} component="span" fz="xs" c="dimmed">
              {label(field.label)}: {isMoney(sum) ? formats.money(sum) : typeof sum === 'number' ? formats.number(sum) : '–'}
            </Text>
          );
        })}
      </Group>
    </Group>
  );
}

/** A value as a heading: no link, since the heading is a button itself. */
function GroupName({ object, by, value }: { object: ObjectDefinition; by: Field; value: unknown }) {
  const { t, label } = useWords();
  const target = useObjects().byName(by.object);
  const isRecord = by.type === 'reference' && target !== undefined && value !== null;
  const title = useQuery({ ...titleQuery(target ?? object, asText(value)), enabled: isRecord });
  if (value === null) {
    return t('list.noValue');
  }
  if (isRecord) {
    return title.data ?? asText(value).slice(0, 8);
  }
  if (by.type === 'bool') {
    return value === true ? t('yes') : t('no');
  }
  const option = optionOf(by, value);
  return option ? label(option.label) : by.type === 'date' ? asText(value).slice(0, 7) : asText(value);
}

/** The filter that a group is. */
function filterOf(by: Field, value: unknown): Filter {
  if (value === null) {
    return { field: by.name, op: 'null', value: true };
  }
  if (by.type === 'date') {
    const first = asText(value).slice(0, 10);
    const next = new Date(`${first}T00:00:00Z`);
    next.setUTCMonth(next.getUTCMonth() + 1);
    return {
      and: [
        { field: by.name, op: 'gte', value: first },
        { field: by.name, op: 'lt', value: next.toISOString().slice(0, 10) },
      ],
    };
  }
  return { field: by.name, op: 'eq', value };
}

function GroupRows({ object, asked, columns, by, group }: Props & { group: GroupOf }) {
  const { t, label } = useWords();
  const filter = both(asked.filter, filterOf(by, groupValue(group)));
  const rows = useQuery(someQuery(object, { ...asked, filter }, ROWS_MAX));
  if (rows.isError) {
    return <ErrorBox error={rows.error} onRetry={() => void rows.refetch()} />;
  }
  return (
    <Table.ScrollContainer minWidth={columns.length * 120} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table fz="sm">
        <Table.Thead>
          <Table.Tr>
            {columns.map((field) => (
              <Table.Th key={field.name}>{label(field.label)}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.data?.data.map((record) => (
            <Table.Tr key={record.id}>
              {columns.map((field) => (
                <Table.Td key={field.name}>
                  {field.name === object.title ? (
                    <RecordLink object={object} id={record.id} title={asText(record[field.name]) || record.id.slice(0, 8)} />
                  ) : (
                    <FieldValue field={field} value={record[field.name]} included={rows.data?.included} short />
                  )}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {group.count > ROWS_MAX && (
        <Anchor
          fz="sm"
          renderRoot={(props) => (
            <Link
              to="/objects/$objects"
              params={{ objects: segmentOf(object) }}
              search={{ filter, ...(asked.sort && { sort: asked.sort }) }}
              {...props}
            />
          )}
        >
          {t('related.all', { count: group.count })}
        </Anchor>
      )}
    </Table.ScrollContainer>
  );
}
