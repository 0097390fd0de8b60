import { Group, MultiSelect, NumberInput, Select, TagsInput, Text } from '@mantine/core';
import { DateInput } from '@mantine/dates';
import type { Field, ObjectDefinition } from '~/api/client';
import { fieldOf, fieldsOf } from '~/api/objects';
import { FieldInput } from '~/fields/FieldInput';
import { isMoney } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import type { Condition } from './conditions';
import { type Operator, operatorsOf, PERIODS } from './operators';

interface Props {
  readonly object: ObjectDefinition;
  readonly value: Condition;
  readonly onChange: (value: Condition) => void;
  readonly currency: string;
  readonly more: readonly Field[];
}

/** A field, a comparison, and what it is compared with. */
export function ConditionLine({ object, value, onChange, currency, more }: Props) {
  const { t, label } = useWords();
  const field = fieldOf(object, value.field) ?? more.find((field) => field.name === value.field);
  const fields = fieldsOf(object).map((field) => ({ value: field.name, label: label(field.label) }));
  const derived = more.map((field) => ({ value: field.name, label: label(field.label) }));
  const data = derived.length
    ? [
        { group: label(object.label), items: fields },
        { group: t('filter.derived'), items: derived },
      ]
    : fields;
  const operators = field ? operatorsOf(field) : [];
  const choose = (name: string | null) => {
    const next = fieldOf(object, name ?? '') ?? more.find((field) => field.name === name);
    const operator = next && operatorsOf(next)[0];
    if (next && operator) {
      onChange({ field: next.name, operator, value: null });
    }
  };
  return (
    <Group gap="xs" align="flex-start" wrap="wrap">
      <Select
        aria-label={t('filter.field')}
        data={data}
        searchable
        allowDeselect={false}
        w={190}
        value={value.field}
        onChange={choose}
        error={!field && t('filter.noSuchField', { field: value.field })}
        nothingFoundMessage={t('nothingFound')}
      />
      {field && (
        <Select
          aria-label={t('filter.operator')}
          w={150}
          allowDeselect={false}
          data={operators.map((operator) => ({ value: operator, label: t(`operator.${operator}`) }))}
          value={value.operator}
          onChange={(chosen) => chosen && onChange({ ...value, operator: chosen as Operator, value: null })}
        />
      )}
      {field && (
        <div style={{ flex: '1 1 200px', minWidth: 160 }}>
          <Operand
            {...{ field, currency }}
            operator={value.operator}
            value={value.value}
            onChange={(next) => onChange({ ...value, value: next })}
          />
        </div>
      )}
    </Group>
  );
}

interface OperandProps {
  readonly field: Field;
  readonly operator: Operator;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly currency: string;
}

/** What a field is compared with. */
function Operand({ field, operator, value, onChange, currency }: OperandProps) {
  const { t, label } = useWords();
  const name = t('filter.value');
  const many = Array.isArray(value) ? value.map(String) : [];
  const options = field.options ?? field.of?.options;
  switch (operator) {
    case 'is_null':
    case 'not_null':
      return null;
    case 'period':
      return (
        <Select
          aria-label={name}
          data={PERIODS.map((period) => ({ value: period, label: t(`period.${period.replace(':', '_') as 'today'}`) }))}
          value={typeof value === 'string' ? value : null}
          onChange={onChange}
        />
      );
    case 'in':
    case 'nin':
    case 'any':
    case 'all':
      return options ? (
        <MultiSelect
          aria-label={name}
          searchable
          data={options.map((option) => ({ value: option.value, label: label(option.label) }))}
          value={many}
          onChange={onChange}
        />
      ) : (
        <TagsInput aria-label={name} value={many} onChange={onChange} />
      );
    case 'between': {
      const [from, to] = Array.isArray(value) ? value : [null, null];
      return (
        <Group gap={4} wrap="nowrap">
          <Bound {...{ field }} name={t('filter.from')} value={from} onChange={(next) => onChange([next, to])} />
          <Text>–</Text>
          <Bound {...{ field }} name={t('filter.to')} value={to} onChange={(next) => onChange([from, next])} />
        </Group>
      );
    }
    default:
      return isPlain(field) ? (
        <Bound field={field} name={name} value={value} onChange={onChange} />
      ) : (
        <FieldInput field={{ ...field, required: false }} bare value={value} onChange={onChange} currency={currency} />
      );
  }
}

function isPlain(field: Field): boolean {
  return ['number', 'integer', 'money', 'date', 'time'].includes(field.type);
}

/** A number, an amount in base currency, or a day. */
function Bound({
  field,
  name,
  value,
  onChange,
}: {
  field: Field;
  name: string;
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  if (field.type === 'date' || field.type === 'time') {
    return (
      <DateInput
        aria-label={name}
        valueFormat="YYYY-MM-DD"
        clearable
        flex={1}
        value={typeof value === 'string' ? value : null}
        onChange={onChange}
      />
    );
  }
  const number = isMoney(value) ? Number(value.amount) : typeof value === 'number' ? value : '';
  return (
    <NumberInput
      aria-label={name}
      flex={1}
      value={number}
      onChange={(next) => onChange(typeof next === 'number' ? next : null)}
    />
  );
}
