import { Badge, Button, Group, Popover, Stack } from '@mantine/core';
import { IconFilter } from '@tabler/icons-react';
import { useState } from 'react';
import type { Field, ObjectDefinition } from '~/api/client';
import type { Filter } from '~/api/queries';
import { type Conditions, conditionsOf, filterOf } from '~/filters/conditions';
import { FilterBuilder } from '~/filters/FilterBuilder';
import { useWords } from '~/i18n/hooks';

interface Props {
  readonly object: ObjectDefinition;
  readonly derived: readonly Field[];
  readonly currency: string;
  readonly filter: Filter | undefined;
  readonly onChange: (filter: Filter | undefined) => void;
}

/** The filter of a list, made of conditions. */
export function FilterButton({ object, derived, currency, filter, onChange }: Props) {
  const { t } = useWords();
  const [opened, setOpened] = useState(false);
  const [draft, setDraft] = useState<Conditions>(() => conditionsOf(filter));
  const parts = conditionsOf(filter).parts.length;
  const toggle = (open: boolean) => {
    setDraft(conditionsOf(filter));
    setOpened(open);
  };
  return (
    <Popover
      opened={opened}
      onChange={toggle}
      width="min(720px, 94vw)"
      position="bottom-start"
      withArrow
      trapFocus
      shadow="md"
      closeOnClickOutside={false}
    >
      <Popover.Target>
        <Button
          size="xs"
          variant={parts ? 'light' : 'default'}
          leftSection={<IconFilter size={14} />}
          onClick={() => toggle(!opened)}
          rightSection={parts > 0 && <Badge size="xs">{parts}</Badge>}
        >
          {t('filter.title')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            onChange(filterOf(draft));
            setOpened(false);
          }}
        >
          <Stack gap="sm">
            <FilterBuilder object={object} value={draft} onChange={setDraft} currency={currency} more={derived} />
            <Group justify="flex-end" gap="xs">
              <Button size="xs" variant="subtle" color="gray" onClick={() => setOpened(false)}>
                {t('cancel')}
              </Button>
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  onChange(undefined);
                  setOpened(false);
                }}
              >
                {t('filter.clear')}
              </Button>
              <Button size="xs" type="submit">
                {t('filter.apply')}
              </Button>
            </Group>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
