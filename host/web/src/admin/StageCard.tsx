import { ActionIcon, Button, Card, Checkbox, Group, MultiSelect, NumberInput, Select, Stack, Text } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import type { ObjectDefinition } from '~/api/client';
import { apiNameOf } from '~/fields/apiName';
import { useWords } from '~/i18n/hooks';
import type { Pipeline } from '~/objects/layout';
import { LabelInputs, NO_LABEL } from '~/ui/LabelInputs';
import { Moves } from '~/ui/OrderedNames';

type Stage = Pipeline['stages'][number];
type Task = NonNullable<Stage['tasks']>[number];

interface Props {
  readonly object: ObjectDefinition;
  readonly stage: Stage;
  readonly title: string;
  readonly index: number;
  readonly last: number;
  readonly onChange: (stage: Stage) => void;
  readonly onMove: (by: 1 | -1) => void;
  readonly onRemove: () => void;
}

/** A stage: how likely it ends well, how long it should take, what has to be known and done to leave it. */
export function StageCard({ object, stage, title, index, last, onChange, onMove, onRemove }: Props) {
  const { t, label } = useWords();
  const fields = object.fields
    .filter((field) => !field.retired && !field.computed)
    .map((field) => ({ value: field.name, label: label(field.label) }));
  const tasks = stage.tasks ?? [];
  const setTask = (place: number, change: Partial<Task>) =>
    onChange({ ...stage, tasks: tasks.map((task, other) => (other === place ? { ...task, ...change } : task)) });
  const number = (key: 'probability' | 'days_max', value: number | string) => {
    const { [key]: _, ...rest } = stage;
    onChange(typeof value === 'number' ? { ...rest, [key]: value } : rest);
  };
  return (
    <Card withBorder component="section" aria-label={title}>
      <Stack>
        <Group>
          <Moves name={title} index={index} last={last} onMove={onMove} onRemove={onRemove} />
          <Text component="h2" fw={600}>
            {title}
          </Text>
        </Group>
        <Group align="flex-end">
          <NumberInput
            label={t('admin.probability')}
            suffix=" %"
            min={0}
            max={100}
            value={stage.probability ?? ''}
            onChange={(next) => number('probability', next)}
            w={140}
          />
          <NumberInput
            label={t('admin.daysMax')}
            min={1}
            allowDecimal={false}
            value={stage.days_max ?? ''}
            onChange={(next) => number('days_max', next)}
            w={140}
          />
          <Select
            label={t('admin.outcome')}
            clearable
            data={(['won', 'lost'] as const).map((value) => ({ value, label: t(`admin.outcomes.${value}`) }))}
            value={stage.outcome ?? null}
            onChange={(next) => {
              const { outcome: _, ...rest } = stage;
              onChange(next ? { ...rest, outcome: next } : rest);
            }}
            w={160}
          />
        </Group>
        <LabelInputs title={t('admin.goal')} value={stage.goal ?? NO_LABEL} onChange={(goal) => onChange({ ...stage, goal })} />
        <MultiSelect
          label={t('admin.requiredFields')}
          searchable
          data={fields}
          value={stage.required ?? []}
          onChange={(required) => onChange({ ...stage, required })}
        />
        {tasks.map((task, place) => (
          <Group key={place} align="flex-end" wrap="nowrap">
            <LabelInputs
              title={t('admin.task', { place: place + 1 })}
              value={task.label}
              onChange={(words) =>
                setTask(place, {
                  label: words,
                  ...((!task.name || task.name === apiNameOf(task.label)) && { name: apiNameOf(words) }),
                })
              }
            />
            <Checkbox
              label={t('admin.taskRequired')}
              checked={task.required}
              onChange={(event) => setTask(place, { required: event.currentTarget.checked })}
              pb={8}
            />
            <ActionIcon
              variant="subtle"
              color="red"
              aria-label={t('order.remove', { name: label(task.label) || String(place + 1) })}
              onClick={() => onChange({ ...stage, tasks: tasks.filter((_, other) => other !== place) })}
              mb={4}
            >
              <IconX size={14} />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => onChange({ ...stage, tasks: [...tasks, { name: '', label: NO_LABEL, required: false }] })}
          >
            {t('admin.addTask')}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}
