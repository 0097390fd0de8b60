import { JsonInput, MultiSelect, NumberInput, Select, Stack, Switch, TagsInput, TextInput } from '@mantine/core';
import { useWords } from '~/i18n/hooks';
import { type Setting, settingsOf } from './schema';

interface Props {
  readonly schema: unknown;
  readonly value: Readonly<Record<string, unknown>>;
  readonly onChange: (value: Readonly<Record<string, unknown>>) => void;
  readonly errors: Readonly<Record<string, string>>;
}

/** A form from the schema of a plugin's settings. What is left empty is left out. */
export function SettingsForm({ schema, value, onChange, errors }: Props) {
  const set = (name: string, next: unknown) => {
    const { [name]: _, ...others } = value;
    onChange(next === null || next === '' || next === undefined ? others : { ...others, [name]: next });
  };
  return (
    <Stack gap="sm">
      {settingsOf(schema).map((setting) => (
        <SettingInput
          key={setting.name}
          setting={setting}
          value={value[setting.name]}
          error={errors[setting.name] ?? errors[`config.${setting.name}`]}
          onChange={(next) => set(setting.name, next)}
        />
      ))}
    </Stack>
  );
}

interface InputProps {
  readonly setting: Setting;
  readonly value: unknown;
  readonly error: string | undefined;
  readonly onChange: (value: unknown) => void;
}

function SettingInput({ setting, value, error, onChange }: InputProps) {
  const { t, label } = useWords();
  const unit = label(setting.unit);
  const shared = {
    label: unit ? `${label(setting.title)} (${unit})` : label(setting.title),
    description: label(setting.description) || undefined,
    required: setting.required,
    error,
  };
  const options = setting.options.map((option) => ({ value: option.value, label: label(option.label) }));
  const texts = Array.isArray(value) ? value.map(String) : [];
  switch (setting.kind) {
    case 'integer':
    case 'number':
      return (
        <NumberInput
          {...shared}
          allowDecimal={setting.kind === 'number'}
          min={setting.minimum}
          max={setting.maximum}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(typeof next === 'number' ? next : null)}
        />
      );
    case 'bool':
      return <Switch {...shared} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
    case 'choice':
      return (
        <Select
          {...shared}
          data={options}
          clearable={!setting.required}
          value={typeof value === 'string' ? value : null}
          onChange={onChange}
        />
      );
    case 'choices':
      return <MultiSelect {...shared} data={options} value={texts} onChange={onChange} />;
    case 'texts':
      return <TagsInput {...shared} value={texts} onChange={onChange} placeholder={t('field.addToList')} />;
    case 'numbers':
      return (
        <TagsInput
          {...shared}
          value={texts}
          onChange={(next) => onChange(next.map(Number).filter(Number.isFinite))}
          placeholder={t('field.addToList')}
        />
      );
    case 'text':
      return (
        <TextInput
          {...shared}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'other':
      return (
        <JsonInput
          {...shared}
          autosize
          minRows={2}
          maxRows={14}
          ff="monospace"
          validationError={t('field.notJson')}
          defaultValue={value === undefined ? '' : JSON.stringify(value, null, 2)}
          onChange={(text) => onChange(parsed(text))}
        />
      );
  }
}

function parsed(text: string): unknown {
  try {
    return text.trim() === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}
