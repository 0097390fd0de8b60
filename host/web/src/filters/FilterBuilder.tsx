import { ActionIcon, Button, Code, Group, Paper, SegmentedControl, Stack } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import type { Field, ObjectDefinition } from '~/api/client';
import { useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { ConditionLine } from './ConditionLine';
import { type Condition, type Conditions, isGroup, isRelated, isUnshown, type Part } from './conditions';
import { firstRelated, RelatedLine } from './RelatedLine';

interface Props {
  readonly object: ObjectDefinition;
  readonly value: Conditions;
  readonly onChange: (value: Conditions) => void;
  readonly currency: string;
  /** Fields beyond the object's own: segments and scores. */
  readonly more?: readonly Field[];
  readonly depth?: number;
}

const DEPTH_MAX = 3;

/** Lines of conditions, and groups of them. */
export function FilterBuilder({ object, value, onChange, currency, more = [], depth = 0 }: Props) {
  const { t } = useWords();
  const set = (index: number, part: Part) =>
    onChange({ ...value, parts: value.parts.map((old, at) => (at === index ? part : old)) });
  const remove = (index: number) => onChange({ ...value, parts: value.parts.filter((_, at) => at !== index) });
  const add = (part: Part) => onChange({ ...value, parts: [...value.parts, part] });
  const related = firstRelated(useObjects().all, object);
  const first: Condition = { field: object.title, operator: 'contains', value: '' };
  return (
    <Stack gap="xs" role="group" aria-label={value.all ? t('filter.allOf') : t('filter.anyOf')}>
      {value.parts.length > 1 && (
        <SegmentedControl
          size="xs"
          w="fit-content"
          value={value.all ? 'all' : 'any'}
          onChange={(chosen) => onChange({ ...value, all: chosen === 'all' })}
          data={[
            { value: 'all', label: t('filter.allOf') },
            { value: 'any', label: t('filter.anyOf') },
          ]}
        />
      )}
      {value.parts.map((part, index) => (
        // Lines have no identity but their place.
        <Group key={index} gap="xs" wrap="nowrap" align="flex-start">
          <div style={{ flex: 1, minWidth: 0 }}>
            {isUnshown(part) ? (
              <Code block>{JSON.stringify(part.raw)}</Code>
            ) : isGroup(part) ? (
              <Paper withBorder p="xs">
                <FilterBuilder
                  {...{ object, currency, more }}
                  depth={depth + 1}
                  value={part}
                  onChange={(next) => set(index, next)}
                />
              </Paper>
            ) : isRelated(part) ? (
              <RelatedLine {...{ object, currency }} depth={depth} value={part} onChange={(next) => set(index, next)} />
            ) : (
              <ConditionLine {...{ object, currency, more }} value={part} onChange={(next) => set(index, next)} />
            )}
          </div>
          <ActionIcon variant="subtle" color="gray" mt={4} aria-label={t('filter.remove')} onClick={() => remove(index)}>
            <IconX size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Group gap="xs">
        <Button size="xs" variant="light" leftSection={<IconPlus size={14} />} onClick={() => add(first)}>
          {t('filter.addCondition')}
        </Button>
        {depth < DEPTH_MAX && (
          <Button size="xs" variant="subtle" onClick={() => add({ all: !value.all, parts: [first] })}>
            {t('filter.addGroup')}
          </Button>
        )}
        {depth < DEPTH_MAX && related && (
          <Button size="xs" variant="subtle" onClick={() => add(related)}>
            {t('filter.addRelated')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}
