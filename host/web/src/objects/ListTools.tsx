import { Badge, Button, CloseButton, Group, Menu, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import type { Field, ObjectDefinition } from '~/api/client';
import { fieldsOf } from '~/api/objects';
import type { Asked, Filter } from '~/api/queries';
import { useShortcuts } from '~/components/shortcuts';
import { useWords } from '~/i18n/hooks';
import { ColumnsButton } from './ColumnsButton';
import { useExport } from './export';
import { FilterButton } from './FilterButton';
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
