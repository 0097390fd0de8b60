import {
  Badge,
  Button,
  Checkbox,
  CloseButton,
  Group,
  Menu,
  Popover,
  ScrollArea,
  SegmentedControl,
  Select,
  Stack,
  TextInput,
} from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconColumns, IconDownload, IconFilter, IconSearch } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import type { Field, ObjectDefinition } from '~/api/client';
import { fieldsOf } from '~/api/objects';
import type { Asked, Filter } from '~/api/queries';
import { useShortcuts } from '~/components/shortcuts';
import { FilterBuilder } from '~/filters/FilterBuilder';
import { type Conditions, conditionsOf, filterOf } from '~/filters/operators';
import { useWords } from '~/i18n/hooks';
import { useExport } from './export';
import { canGroup } from './GroupedList';
import { type ListSearch, type Mode, NO_GROUP } from './search';

const TYPING_MS = 250;
/** An empty filter, where the view has one that shall not hold. */
const EVERYTHING: Filter = { and: [] };

interface Props {
  readonly object: ObjectDefinition;
  readonly search: ListSearch;
  readonly set: (change: Partial<ListSearch>) => Promise<void>;
  readonly filter: Filter | undefined;
  readonly columns: readonly Field[];
  readonly derived: readonly Field[];
  readonly currency: string;
  readonly count: number | undefined;
  readonly modes: readonly Mode[];
  readonly asked: Asked;
  readonly group: Field | undefined;
}

/** Words, filter, columns, how it is drawn, and taking it along. */
export function ListTools({ object, search, set, filter, columns, derived, currency, count, modes, asked, group }: Props) {
  const { t, formats, label } = useWords();
  return (
    <Group gap="xs">
      <Words q={search.q} onChange={(q) => void set({ q })} />
      <FilterButton
        {...{ object, derived, currency, filter }}
        onChange={(next) => void set({ filter: next ?? (search.view ? EVERYTHING : undefined) })}
      />
      <ColumnsButton {...{ object, columns, derived }} onChange={(names) => void set({ columns: names })} />
      <Select
        size="xs"
        w={150}
        aria-label={t('list.groupBy')}
        placeholder={t('list.groupBy')}
        searchable
        clearable
        data={[...fieldsOf(object), ...derived]
          .filter(canGroup)
          .map((field) => ({ value: field.name, label: label(field.label) }))}
        value={group?.name ?? null}
        onChange={(name) => void set({ group: name ?? (search.view ? NO_GROUP : undefined), mode: undefined })}
      />
      <ExportButton object={object} asked={asked} columns={columns} />
      {modes.length > 1 && (
        <SegmentedControl
          size="xs"
          aria-label={t('list.mode')}
          value={search.mode ?? 'table'}
          onChange={(mode) => void set({ mode: mode === 'table' ? undefined : (mode as Mode) })}
          data={modes.map((mode) => ({ value: mode, label: t(`mode.${mode}`) }))}
        />
      )}
      <Badge variant="transparent" color="gray" tt="none" fw={400} role="status">
        {count === undefined ? '…' : t('list.total', { count, total: formats.number(count) })}
      </Badge>
    </Group>
  );
}

function Words({ q, onChange }: { q: string | undefined; onChange: (q: string | undefined) => void }) {
  const { t } = useWords();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(q ?? '');
  const [known, setKnown] = useState(q);
  if (q !== known) {
    setKnown(q);
    setTyped(q ?? '');
  }
  const tell = useDebouncedCallback((words: string) => {
    setKnown(words || undefined);
    onChange(words || undefined);
  }, TYPING_MS);
  useShortcuts({ '/': () => input.current?.focus() });
  return (
    <TextInput
      ref={input}
      type="search"
      size="xs"
      w={220}
      aria-label={t('list.search')}
      placeholder={t('list.search')}
      leftSection={<IconSearch size={14} />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        tell(event.currentTarget.value.trim());
      }}
      rightSection={
        typed && (
          <CloseButton
            size="xs"
            aria-label={t('clear')}
            onClick={() => {
              setTyped('');
              tell('');
            }}
          />
        )
      }
    />
  );
}

interface FilterProps {
  readonly object: ObjectDefinition;
  readonly derived: readonly Field[];
  readonly currency: string;
  readonly filter: Filter | undefined;
  readonly onChange: (filter: Filter | undefined) => void;
}

function FilterButton({ object, derived, currency, filter, onChange }: FilterProps) {
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

interface ColumnsProps {
  readonly object: ObjectDefinition;
  readonly columns: readonly Field[];
  readonly derived: readonly Field[];
  readonly onChange: (names: readonly string[]) => void;
}

function ColumnsButton({ object, columns, derived, onChange }: ColumnsProps) {
  const { t, label } = useWords();
  const names = columns.map((field) => field.name);
  const toggle = (name: string) => {
    const next = names.includes(name) ? names.filter((other) => other !== name) : [...names, name];
    if (next.length > 0) {
      onChange(next);
    }
  };
  return (
    <Popover position="bottom-start" withArrow trapFocus shadow="md">
      <Popover.Target>
        <Button size="xs" variant="default" leftSection={<IconColumns size={14} />}>
          {t('list.columns')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        <ScrollArea.Autosize mah={380}>
          <Stack gap={6} role="group" aria-label={t('list.columns')}>
            {[...fieldsOf(object), ...derived].map((field) => (
              <Checkbox
                key={field.name}
                size="xs"
                label={label(field.label)}
                checked={names.includes(field.name)}
                onChange={() => toggle(field.name)}
              />
            ))}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}

function ExportButton({ object, asked, columns }: { object: ObjectDefinition; asked: Asked; columns: readonly Field[] }) {
  const { t } = useWords();
  const exporting = useExport(object);
  const names = columns.map((field) => field.name);
  const take = (format: 'csv' | 'xlsx', all: boolean) =>
    exporting.mutate({ filter: asked.filter, sort: asked.sort, format, columns: all ? undefined : names });
  return (
    <Menu>
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<IconDownload size={14} />} loading={exporting.isPending}>
          {t('export.title')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('export.seen')}</Menu.Label>
        <Menu.Item onClick={() => take('csv', false)}>CSV</Menu.Item>
        <Menu.Item onClick={() => take('xlsx', false)}>Excel (XLSX)</Menu.Item>
        <Menu.Label>{t('export.everything')}</Menu.Label>
        <Menu.Item onClick={() => take('csv', true)}>CSV</Menu.Item>
        <Menu.Item onClick={() => take('xlsx', true)}>Excel (XLSX)</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
