import { Group, NumberInput, Paper, Select, Stack, Text } from '@mantine/core';
import type { ObjectDefinition } from '~/api/client';
import { fieldsOf, useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { BOUND_OPERATORS, type BoundOperator, NO_CONDITIONS, type Related } from './conditions';
import { FilterBuilder } from './FilterBuilder';

const COUNT = '';

interface Props {
  readonly object: ObjectDefinition;
  readonly value: Related;
  readonly onChange: (value: Related) => void;
  readonly currency: string;
  readonly depth: number;
}

/** How many records of another object refer to this one, or what they sum up to, and which of them count. */
export function RelatedLine({ object, value, onChange, currency, depth }: Props) {
  const { t, label } = useWords();
  const others = referring(useObjects().all, object);
  const other = others.find(({ plural }) => plural === value.related);
  const sums = other ? fieldsOf(other).filter(({ type }) => ['number', 'integer', 'money'].includes(type)) : [];
  return (
    <Stack gap="xs" role="group" aria-label={other ? label(other.plural_label) : value.related}>
      <Group gap="xs" align="flex-start">
        <Select
          aria-label={t('filter.related')}
          w={190}
          searchable
          allowDeselect={false}
          data={others.map((one) => ({ value: one.plural, label: label(one.plural_label) }))}
          value={value.related}
          onChange={(chosen) => chosen && onChange({ ...value, related: chosen, sum: undefined, where: NO_CONDITIONS })}
          error={!other && t('filter.noSuchField', { field: value.related })}
        />
        <Select
          aria-label={t('filter.measure')}
          w={190}
          allowDeselect={false}
          data={[
            { value: COUNT, label: t('filter.count') },
            ...sums.map((field) => ({ value: field.name, label: t('filter.sumOf', { field: label(field.label) }) })),
          ]}
          value={value.sum ?? COUNT}
          onChange={(chosen) => onChange({ ...value, sum: chosen || undefined })}
        />
        <Select
          aria-label={t('filter.operator')}
          w={120}
          allowDeselect={false}
          data={BOUND_OPERATORS.map((operator) => ({ value: operator, label: t(`operator.${operator}`) }))}
          value={value.operator}
          onChange={(chosen) => chosen && onChange({ ...value, operator: chosen as BoundOperator })}
        />
        <NumberInput
          aria-label={t('filter.value')}
          w={110}
          value={value.value ?? ''}
          onChange={(next) => onChange({ ...value, value: typeof next === 'number' ? next : null })}
        />
      </Group>
      {other && (
        <Paper withBorder p="xs">
          <Text fz="xs" c="dimmed" mb={4}>
            {t('filter.which')}
          </Text>
          <FilterBuilder
            object={other}
            currency={currency}
            depth={depth + 1}
            value={value.where}
            onChange={(where) => onChange({ ...value, where })}
          />
        </Paper>
      )}
    </Stack>
  );
}

/** The objects whose records refer to one of this object. */
function referring(all: readonly ObjectDefinition[], object: ObjectDefinition): readonly ObjectDefinition[] {
  const refers = (one: ObjectDefinition) =>
    one.fields.some((field) => field.type === 'reference' && field.object === object.name && !field.retired);
  return all.filter((one) => !one.retired && refers(one));
}

/** A line to begin with: at least one of what refers to the object, orders where there are any. */
export function firstRelated(all: readonly ObjectDefinition[], object: ObjectDefinition): Related | undefined {
  const others = referring(all, object);
  const other = others.find(({ name }) => name === 'order') ?? others[0];
  return other && { related: other.plural, where: NO_CONDITIONS, sum: undefined, operator: 'gte', value: 1 };
}
