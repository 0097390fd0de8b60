import { Button, Popover, ScrollArea } from '@mantine/core';
import { IconColumns } from '@tabler/icons-react';
import type { Field, ObjectDefinition } from '~/api/client';
import { fieldsOf } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { OrderedNames } from '~/ui/OrderedNames';

interface Props {
  readonly object: ObjectDefinition;
  readonly columns: readonly Field[];
  readonly derived: readonly Field[];
  readonly onChange: (names: readonly string[]) => void;
}

/** Which columns a list has, in which order. */
export function ColumnsButton({ object, columns, derived, onChange }: Props) {
  const { t, label } = useWords();
  return (
    <Popover position="bottom-start" withArrow trapFocus shadow="md">
      <Popover.Target>
        <Button size="xs" variant="default" leftSection={<IconColumns size={14} />}>
          {t('list.columns')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs" miw={300}>
        <ScrollArea.Autosize mah={420}>
          <OrderedNames
            label={t('list.columns')}
            names={columns.map((field) => field.name)}
            options={[...fieldsOf(object), ...derived].map((field) => ({ value: field.name, label: label(field.label) }))}
            onChange={(names) => names.length > 0 && onChange(names)}
          />
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}
