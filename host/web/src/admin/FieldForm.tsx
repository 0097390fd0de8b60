import { Button, Checkbox, Group, NumberInput, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Field, ObjectDefinition, Schemas } from '~/api/client';
import { useObjects } from '~/api/objects';
import { apiNameOf } from '~/fields/apiName';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { filledLabel, LabelInputs, NO_LABEL } from '~/ui/LabelInputs';
import { toast } from '~/ui/toasts';
import { OptionsInput } from './OptionsInput';
import { PlanReview } from './PlanReview';
import { addField, changeField, retireField, useSchemaChange } from './schema';

const TYPES = ['text', 'number', 'integer', 'money', 'bool', 'date', 'time', 'choice', 'multi_choice', 'reference'] as const;
const FLAGS = ['required', 'unique', 'indexed', 'personal_data'] as const;
type Flag = (typeof FLAGS)[number];

interface Props {
  readonly object: ObjectDefinition;
  /** The field that is changed; without one a field is added. */
  readonly field: Field | undefined;
  readonly onClose: () => void;
}

/** What a field is called, what it holds, and what must be true of it. */
export function FieldForm({ object, field, onClose }: Props) {
  const { t, label: say } = useWords();
  const objects = useObjects();
  const [label, setLabel] = useState(field?.label ?? NO_LABEL);
  const [description, setDescription] = useState(field?.description ?? NO_LABEL);
  const [typed, setName] = useState<string>();
  const [type, setType] = useState<Field['type']>(field?.type ?? 'text');
  const [target, setTarget] = useState<string | null>(field?.object ?? null);
  const [options, setOptions] = useState<readonly Schemas['ChoiceOption'][]>(field?.options ?? []);
  const [characters, setCharacters] = useState<number | undefined>(field?.characters_max);
  const [formula, setFormula] = useState(expressionOf(field));
  const [flags, setFlags] = useState<Readonly<Record<Flag, boolean>>>({
    required: field?.required ?? false,
    unique: field?.unique ?? false,
    indexed: field?.indexed ?? false,
    personal_data: field?.personal_data ?? false,
  });
  const name = field?.name ?? typed ?? apiNameOf(label);
  const schema = useSchemaChange(() => toast(t('admin.saved')));
  const choice = type === 'choice' || type === 'multi_choice';
  const computed = formula !== '';
  const wanted = {
    label: filledLabel(label),
    description: filledLabel(description),
    ...(!computed && flags),
    ...(choice && { options }),
    ...(type === 'text' && characters !== undefined && { characters_max: characters }),
    ...(computed && { formula: { expression: formula } }),
  };
  const save = () => {
    const send = field
      ? changeField(object.name, field.name, changesOf(field, wanted))
      : addField(object.name, { name, type, ...(type === 'reference' && { object: target }), ...wanted });
    schema.change({ send, onDone: onClose });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Stack>
        <LabelInputs title={t('admin.label')} value={label} onChange={setLabel} required autoFocus />
        {field === undefined && (
          <>
            <TextInput
              label={t('admin.name')}
              description={t('admin.nameWhat')}
              value={name}
              required
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Select
              label={t('admin.type')}
              description={t('admin.typeWhat')}
              allowDeselect={false}
              data={TYPES.map((value) => ({ value, label: t(`admin.types.${value}`) }))}
              value={type}
              onChange={(next) => next && setType(next as Field['type'])}
            />
          </>
        )}
        {field === undefined && type === 'reference' && (
          <Select
            label={t('admin.target')}
            required
            searchable
            data={objects.all.filter((one) => !one.retired).map((one) => ({ value: one.name, label: say(one.label) }))}
            value={target}
            onChange={setTarget}
          />
        )}
        {choice && (
          <OptionsInput options={options} stored={new Set(field?.options?.map(({ value }) => value))} onChange={setOptions} />
        )}
        {type === 'text' && (
          <NumberInput
            label={t('admin.charactersMax')}
            value={characters ?? ''}
            min={1}
            allowDecimal={false}
            onChange={(next) => setCharacters(typeof next === 'number' ? next : undefined)}
          />
        )}
        {(field === undefined || computed) && !field?.roll_up && !choice && type !== 'reference' && (
          <Textarea
            label={t('admin.formula')}
            description={t('admin.formulaWhat')}
            placeholder="record.amount * record.probability / 100"
            autosize
            value={formula}
            onChange={(event) => setFormula(event.currentTarget.value)}
          />
        )}
        {!computed && !field?.computed && (
          <Group>
            {FLAGS.map((flag) => (
              <Checkbox
                key={flag}
                label={t(`admin.flag.${flag}`)}
                checked={flags[flag]}
                onChange={(event) => {
                  const { checked } = event.currentTarget;
                  setFlags((old) => ({ ...old, [flag]: checked }));
                }}
              />
            ))}
          </Group>
        )}
        <LabelInputs title={t('admin.description')} value={description} onChange={setDescription} />
        {schema.error !== null && <ErrorBox error={schema.error} />}
        <Group justify="flex-end">
          {field && field.name !== object.title && (
            <Button
              variant="subtle"
              color="red"
              me="auto"
              onClick={() => schema.change({ send: retireField(object.name, field.name), onDone: onClose })}
            >
              {t('admin.retire')}
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button type="submit" loading={schema.busy} disabled={name === '' || (type === 'reference' && target === null)}>
            {field ? t('save') : t('create')}
          </Button>
        </Group>
      </Stack>
      <PlanReview schema={schema} />
    </form>
  );
}

function expressionOf(field: Field | undefined): string {
  const { expression } = (field?.formula ?? {}) as { expression?: string };
  return expression ?? '';
}

/** Only what is other than before: what nobody touched stays the release's to improve. */
function changesOf(field: Field, wanted: Record<string, unknown>): Record<string, unknown> {
  const before = field as unknown as Record<string, unknown>;
  const same = (key: string) => JSON.stringify(before[key]) === JSON.stringify(wanted[key]);
  return Object.fromEntries(Object.entries(wanted).filter(([key]) => !same(key)));
}
