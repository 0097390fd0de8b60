import { Button, Checkbox, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { AnyRecord, Field, ObjectDefinition, Schemas } from '~/api/client';
import { asApiError, fieldErrors } from '~/api/errors';
import { fieldOf } from '~/api/objects';
import { FieldInput } from '~/fields/FieldInput';
import { asText } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { pipelineOf } from './layout';
import { useSave } from './save';

interface Props {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
  readonly field: Field;
  readonly stage: { readonly value: string; readonly label: Schemas['Label'] };
  readonly error: unknown;
  readonly currency: string;
  readonly onDone: () => void;
}

/** Why a record may not enter a stage, and what is missing, to be filled in here. */
export function StageGate({ object, record, field, stage, error, currency, onDone }: Props) {
  const { t, label } = useWords();
  const [draft, setDraft] = useState<Readonly<Record<string, unknown>>>({});
  const save = useSave(object, { id: record.id, version: undefined });
  const latest = save.error ?? error;
  const errors = fieldErrors(latest);
  const pipeline = pipelineOf(object, record);
  const done = pipeline?.tasks_done ?? 'tasks_done';
  const gates = asApiError(latest).problem?.errors?.filter((error) => error.code === 'stage_gate') ?? [];
  const missing = [...new Set(gates.map((gate) => gate.field))]
    .filter((name) => name !== done)
    .map((name) => fieldOf(object, name));
  const open = errors[done] ? openTasks(pipeline, asText(record[field.name]), stage.value, record[done]) : [];
  const tasks = new Set(Array.isArray(draft[done]) ? (draft[done] as string[]) : texts(record[done]));
  if (gates.length === 0) {
    return <ErrorBox error={latest} />;
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ ...draft, [field.name]: stage.value }, { onSuccess: onDone });
      }}
    >
      <Stack>
        <Text fz="sm">{t('kanban.gate', { record: asText(record[object.title]), stage: label(stage.label) })}</Text>
        {missing.map(
          (missing) =>
            missing && (
              <FieldInput
                key={missing.name}
                field={{ ...missing, required: true }}
                value={draft[missing.name] ?? record[missing.name]}
                onChange={(value) => setDraft((old) => ({ ...old, [missing.name]: value }))}
                error={errors[missing.name]}
                currency={currency}
              />
            ),
        )}
        {open.length > 0 && (
          <Checkbox.Group
            label={t('kanban.tasks')}
            value={[...tasks]}
            onChange={(names) => setDraft((old) => ({ ...old, [done]: names }))}
          >
            <Stack gap="xs" mt="xs">
              {open.map((task) => (
                <Checkbox key={task.name} value={task.name} label={label(task.label)} />
              ))}
            </Stack>
          </Checkbox.Group>
        )}
        {save.isError && gates.length === 0 && <ErrorBox error={save.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t('kanban.moveTo', { stage: label(stage.label) })}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The needed tasks of the stages that are left behind. */
function openTasks(pipeline: Schemas['Pipeline'] | undefined, from: string, to: string, done: unknown) {
  const stages = pipeline?.stages ?? [];
  const place = (value: string) => stages.findIndex((stage) => stage.value === value);
  const passed = stages.slice(Math.max(0, place(from)), place(to));
  const finished = new Set(texts(done));
  return passed.flatMap((stage) => (stage.tasks ?? []).filter((task) => task.required && !finished.has(task.name)));
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
