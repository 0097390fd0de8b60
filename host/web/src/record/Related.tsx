import { ActionIcon, Badge, Button, Card, Group, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type AnyRecord, type Field, type ObjectDefinition, type Schemas, segmentOf } from '~/api/client';
import { fieldOf, useObjects } from '~/api/objects';
import { countQuery, someQuery } from '~/api/queries';
import { RecordLink } from '~/components/RecordLink';
import { FieldValue } from '~/fields/FieldValue';
import { isEmpty, titleOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { CreateDrawer } from '~/objects/CreateDrawer';
import type { Layout } from '~/objects/layout';
import { ErrorBox } from '~/ui/ErrorBox';

const SHOWN_MAX = 5;
const FIELDS_MAX = 3;

type RelatedList = NonNullable<Schemas['Layout']['related']>[number];

interface Props {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
  readonly layout: Layout | undefined;
  readonly currency: string;
}

/** The lists of a record's layout: what refers to it. */
export function Related({ record, layout, currency }: Props) {
  const objects = useObjects();
  return (
    <Stack>
      {(layout?.related ?? []).map((list) => {
        const object = objects.byName(list.object);
        return object && <RelatedCard key={`${list.object}.${list.reference}`} {...{ object, list, record, currency }} />;
      })}
    </Stack>
  );
}

interface CardProps {
  readonly object: ObjectDefinition;
  readonly list: RelatedList;
  readonly record: AnyRecord;
  readonly currency: string;
}

function RelatedCard({ object, list, record, currency }: CardProps) {
  const { t, label, formats } = useWords();
  const [creating, setCreating] = useState(false);
  const filter = { field: list.reference, op: 'eq', value: record.id };
  const columns = (list.columns ?? []).map((name) => fieldOf(object, name)).filter((field): field is Field => !!field);
  const asked = {
    filter,
    sort: list.sort,
    fields: [object.title, ...columns.map((field) => field.name)],
    include: columns.filter((field) => field.type === 'reference').map((field) => field.name),
  };
  const found = useQuery(someQuery(object, asked, SHOWN_MAX));
  const count = useQuery(countQuery(object, { filter }));
  const title = label(object.plural_label);
  return (
    <Card withBorder padding="sm" component="section" aria-label={title}>
      <Group justify="space-between" mb={4}>
        <Group gap={6}>
          <Text component="h2" fz="sm" fw={600}>
            {title}
          </Text>
          <Badge size="sm" variant="default">
            {count.data === undefined ? '…' : formats.number(count.data)}
          </Badge>
        </Group>
        <ActionIcon
          variant="subtle"
          aria-label={t('list.create', { object: label(object.label) })}
          onClick={() => setCreating(true)}
        >
          <IconPlus size={16} />
        </ActionIcon>
      </Group>
      {found.isError && <ErrorBox error={found.error} onRetry={() => void found.refetch()} />}
      <Stack gap={6} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {found.data?.data.map((related) => (
          <li key={related.id}>
            <Text fz="sm" component="div" truncate>
              <RecordLink
                object={object}
                id={related.id}
                title={titleOf(object, related) || firstOf(columns, related, formats.date) || related.id.slice(0, 8)}
              />
            </Text>
            <Group gap="xs" wrap="nowrap">
              {columns
                .filter((field) => field.name !== object.title && !isEmpty(related[field.name]))
                .slice(0, FIELDS_MAX)
                .map((field) => (
                  <Text key={field.name} fz="xs" c="dimmed" component="span" truncate>
                    <FieldValue field={field} value={related[field.name]} included={found.data?.included} short />
                  </Text>
                ))}
            </Group>
          </li>
        ))}
      </Stack>
      {(count.data ?? 0) > SHOWN_MAX && (
        <Button
          size="compact-xs"
          variant="subtle"
          renderRoot={(props) => (
            <Link
              to="/objects/$objects"
              params={{ objects: segmentOf(object) }}
              search={{ filter, ...(list.sort && { sort: list.sort }) }}
              {...props}
            />
          )}
        >
          {t('related.all', { count: count.data ?? 0 })}
        </Button>
      )}
      <CreateDrawer
        object={object}
        currency={currency}
        opened={creating}
        onClose={() => setCreating(false)}
        start={{ [list.reference]: record.id }}
        stay
      />
    </Card>
  );
}

/** A name for what has none: an order of an import has no number, but a day. */
function firstOf(columns: readonly Field[], record: AnyRecord, date: (day: string) => string): string | undefined {
  const field = columns.find(
    (field) => (field.type === 'date' || field.type === 'time') && typeof record[field.name] === 'string',
  );
  return field && date(String(record[field.name]));
}
