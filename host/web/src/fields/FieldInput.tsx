import { Group, JsonInput, MultiSelect, NumberInput, Select, Switch, TagsInput, Textarea, TextInput } from '@mantine/core';
import { DateInput, DateTimePicker } from '@mantine/dates';
import type { Field } from '~/api/client';
import { useObjects } from '~/api/objects';
import { momentAt, wallOf } from '~/clock';
import { useWords } from '~/i18n/hooks';
import { ReferenceInput } from './ReferenceInput';
import { asText, isMoney } from './values';

/** Longer texts get several lines. */
const ONE_LINE_CHARACTERS_MAX = 300;
const CURRENCIES = ['CNY', 'USD', 'EUR', 'JPY', 'GBP', 'HKD', 'TWD', 'KRW', 'SGD', 'AUD', 'CAD', 'CHF'];

interface Props {
  readonly field: Field;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly error?: string | undefined;
  /** Without its label, for a cell: the label is still said. */
  readonly bare?: boolean;
  readonly autoFocus?: boolean;
  readonly currency: string;
}

/** Where a value is typed or chosen. */
export function FieldInput({ field, value, onChange, error, bare, autoFocus, currency }: Props) {
  const { t, label, language } = useWords();
  const objects = useObjects();
  const name = label(field.label);
  const shared = {
    ...(bare ? { 'aria-label': name } : { label: name, description: label(field.description) || undefined }),
    required: field.required,
    withAsterisk: field.required,
    error,
    autoFocus: autoFocus ?? false,
    ...(autoFocus && { 'data-autofocus': true }),
  };
  const options = (field.options ?? field.of?.options ?? [])
    .filter((option) => !option.retired || option.value === value)
    .map((option) => ({ value: option.value, label: label(option.label) }));
  switch (field.type) {
    case 'text': {
      const many = (field.characters_max ?? 0) > ONE_LINE_CHARACTERS_MAX;
      const text = { ...shared, value: asText(value), maxLength: field.characters_max };
      return many ? (
        <Textarea {...text} autosize minRows={2} maxRows={12} onChange={(event) => onChange(event.currentTarget.value)} />
      ) : (
        <TextInput {...text} type={inputType(field.format)} onChange={(event) => onChange(event.currentTarget.value)} />
      );
    }
    case 'number':
    case 'integer':
      return (
        <NumberInput
          {...shared}
          value={typeof value === 'number' ? value : ''}
          allowDecimal={field.type === 'number'}
          thousandSeparator={language === 'en' ? ',' : undefined}
          onChange={(next) => onChange(typeof next === 'number' ? next : null)}
        />
      );
    case 'money':
      return <MoneyInput shared={shared} name={name} value={value} currency={currency} onChange={onChange} />;
    case 'bool':
      return (
        <Switch
          {...shared}
          mt={bare ? 0 : 'md'}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'date':
      return (
        <DateInput
          {...shared}
          clearable
          valueFormat="YYYY-MM-DD"
          placeholder="2026-01-31"
          value={asText(value) || null}
          onChange={onChange}
        />
      );
    case 'time':
      return (
        <DateTimePicker
          {...shared}
          clearable
          valueFormat="YYYY-MM-DD HH:mm"
          value={wallOf(new Date(asText(value))) || null}
          onChange={(next) => onChange(next ? momentAt(next).toISOString() : null)}
        />
      );
    case 'choice':
      return (
        <Select
          {...shared}
          data={options}
          searchable={options.length > 8}
          clearable={!field.required}
          value={asText(value) || null}
          onChange={onChange}
          nothingFoundMessage={t('nothingFound')}
        />
      );
    case 'multi_choice':
      return <MultiSelect {...shared} data={options} searchable clearable value={texts(value)} onChange={onChange} />;
    case 'reference': {
      const target = objects.byName(field.object);
      return target ? (
        <ReferenceInput
          {...shared}
          object={target}
          value={asText(value) || null}
          onChange={onChange}
          autoFocus={autoFocus ?? false}
        />
      ) : (
        <TextInput {...shared} value={asText(value)} onChange={(event) => onChange(event.currentTarget.value)} />
      );
    }
    case 'list':
      return field.of?.options ? (
        <MultiSelect {...shared} data={options} searchable clearable value={texts(value)} onChange={onChange} />
      ) : (
        <TagsInput {...shared} clearable value={texts(value)} onChange={onChange} placeholder={t('field.addToList')} />
      );
    case 'json':
      return (
        <JsonInput
          {...shared}
          autosize
          minRows={3}
          maxRows={16}
          ff="monospace"
          formatOnBlur
          validationError={t('field.notJson')}
          defaultValue={value === null || value === undefined ? '' : JSON.stringify(value, null, 2)}
          onChange={(text) => onChange(parsed(text))}
        />
      );
    default:
      return unknownType(field.type);
  }
}

function unknownType(_: never) {
  return null;
}

interface MoneyProps {
  readonly shared: object;
  readonly name: string;
  readonly value: unknown;
  readonly currency: string;
  readonly onChange: (value: unknown) => void;
}

/** An amount and its currency. The amount stays a decimal text: no digit is lost on the way. */
function MoneyInput({ shared, name, value, currency, onChange }: MoneyProps) {
  const { t } = useWords();
  const money = isMoney(value) ? value : { amount: '', currency };
  const currencies = CURRENCIES.includes(money.currency) ? CURRENCIES : [money.currency, ...CURRENCIES];
  const set = (amount: string, of: string) => onChange(amount === '' ? null : { amount, currency: of });
  return (
    <Group gap="xs" align="flex-end" wrap="nowrap">
      <NumberInput
        {...shared}
        flex={1}
        valueIsNumericString
        thousandSeparator=","
        value={money.amount}
        onChange={(amount) => set(String(amount), money.currency)}
      />
      <Select
        aria-label={t('field.currencyOf', { field: name })}
        w={92}
        data={currencies}
        allowDeselect={false}
        value={money.currency}
        onChange={(chosen) => set(money.amount, chosen ?? currency)}
      />
    </Group>
  );
}

function inputType(format: string | undefined) {
  return format === 'email' ? 'email' : format === 'phone' ? 'tel' : format === 'url' ? 'url' : 'text';
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(asText) : [];
}

function parsed(text: string): unknown {
  try {
    return text.trim() === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}
