import { ActionIcon, Group, Select, Stack, Text } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconX } from '@tabler/icons-react';
import { useWords } from '~/i18n/hooks';

export interface Named {
  readonly value: string;
  readonly label: string;
}

interface Props {
  readonly label: string;
  readonly names: readonly string[];
  readonly options: readonly Named[];
  readonly onChange: (names: string[]) => void;
}

/** Some of the options, in an order. */
export function OrderedNames({ label, names, options, onChange }: Props) {
  const { t } = useWords();
  const labelOf = (name: string) => options.find((option) => option.value === name)?.label ?? name;
  const left = options.filter((option) => !names.includes(option.value));
  return (
    <Stack gap={4} role="group" aria-label={label}>
      <Text fz="sm" fw={500}>
        {label}
      </Text>
      {names.map((name, index) => (
        <Group key={name} gap={4} wrap="nowrap">
          <Moves
            name={labelOf(name)}
            index={index}
            last={names.length - 1}
            onMove={(by) => onChange(moved(names, index, by))}
            onRemove={() => onChange(names.filter((other) => other !== name))}
          />
          <Text fz="sm">{labelOf(name)}</Text>
        </Group>
      ))}
      {left.length > 0 && (
        <Select
          size="xs"
          searchable
          aria-label={t('order.add', { list: label })}
          placeholder={t('order.add', { list: label })}
          data={left}
          value={null}
          onChange={(chosen) => chosen && onChange([...names, chosen])}
          maw={280}
          // Within: a choice is none of the clicks outside that close what the list stands in.
          comboboxProps={{ withinPortal: false, floatingStrategy: 'fixed' }}
        />
      )}
    </Stack>
  );
}

interface MovesProps {
  readonly name: string;
  readonly index: number;
  readonly last: number;
  readonly onMove: (by: 1 | -1) => void;
  readonly onRemove?: () => void;
}

/** Buttons that move something in a list, or take it out. */
export function Moves({ name, index, last, onMove, onRemove }: MovesProps) {
  const { t } = useWords();
  return (
    <Group gap={2} wrap="nowrap">
      <ActionIcon
        variant="subtle"
        size="sm"
        disabled={index === 0}
        aria-label={t('order.earlier', { name })}
        onClick={() => onMove(-1)}
      >
        <IconArrowUp size={14} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        size="sm"
        disabled={index === last}
        aria-label={t('order.later', { name })}
        onClick={() => onMove(1)}
      >
        <IconArrowDown size={14} />
      </ActionIcon>
      {onRemove && (
        <ActionIcon variant="subtle" size="sm" color="red" aria-label={t('order.remove', { name })} onClick={onRemove}>
          <IconX size={14} />
        </ActionIcon>
      )}
    </Group>
  );
}

/** The list with one of its elements some places later, or earlier. */
export function moved<T>(list: readonly T[], index: number, by: number): T[] {
  const next = [...list];
  next.splice(index + by, 0, ...next.splice(index, 1));
  return next;
}
