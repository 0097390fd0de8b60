import { Card, Group, Select, Stack, Text } from '@mantine/core';
import type { ObjectDefinition } from '~/api/client';
import { fieldsOf, useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import type { Layout } from '~/objects/layout';
import { Moves, moved, OrderedNames } from '~/ui/OrderedNames';

type Related = NonNullable<Layout['related']>[number];

interface Props {
  readonly object: ObjectDefinition;
  readonly related: readonly Related[];
  readonly onChange: (related: Related[]) => void;
}

/** The lists of other records on a record's page: those that refer to it. */
export function RelatedLists({ object, related, onChange }: Props) {
  const { t, label } = useWords();
  const objects = useObjects();
  const keyOf = (one: { object: string; reference: string }) => `${one.object}.${one.reference}`;
  const used = new Set(related.map(keyOf));
  const nameOf = (one: Related) => {
    const other = objects.byName(one.object);
    const field = other?.fields.find(({ name }) => name === one.reference);
    return `${label(other?.plural_label) || one.object} (${label(field?.label) || one.reference})`;
  };
  const possible = objects.all
    .filter((other) => !other.retired)
    .flatMap((other) =>
      other.fields
        .filter((field) => field.type === 'reference' && field.object === object.name && !field.retired)
        .map((field) => ({ object: other.name, reference: field.name })),
    )
    .filter((one) => !used.has(keyOf(one)));
  const set = (index: number, change: Partial<Related>) =>
    onChange(related.map((one, place) => (place === index ? { ...one, ...change } : one)));
  return (
    <Card withBorder>
      <Stack>
        <Text fw={500}>{t('admin.related')}</Text>
        {related.map((one, index) => (
          <Group key={keyOf(one)} align="flex-start" wrap="nowrap">
            <Moves
              name={nameOf(one)}
              index={index}
              last={related.length - 1}
              onMove={(by) => onChange(moved(related, index, by))}
              onRemove={() => onChange(related.filter((_, place) => place !== index))}
            />
            <OrderedNames
              label={nameOf(one)}
              names={one.columns ?? []}
              options={fieldsOf(objects.byName(one.object) ?? object).map((field) => ({
                value: field.name,
                label: label(field.label),
              }))}
              onChange={(columns) => set(index, { columns })}
            />
          </Group>
        ))}
        {possible.length > 0 && (
          <Select
            size="xs"
            searchable
            aria-label={t('order.add', { list: t('admin.related') })}
            placeholder={t('order.add', { list: t('admin.related') })}
            data={possible.map((one) => ({ value: keyOf(one), label: nameOf(one) }))}
            value={null}
            onChange={(key) => {
              const found = possible.find((one) => keyOf(one) === key);
              const title = objects.byName(found?.object)?.title;
              if (found) {
                onChange([...related, { ...found, columns: title ? [title] : [] }]);
              }
            }}
            maw={360}
          />
        )}
      </Stack>
    </Card>
  );
}
