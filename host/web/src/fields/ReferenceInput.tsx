import { Combobox, InputBase, type InputBaseProps, Loader, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ObjectDefinition } from '~/api/client';
import { someQuery, titleQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { titleOf } from './values';

const SHOWN_MAX = 20;
const TYPING_MS = 150;

interface Props extends Pick<InputBaseProps, 'label' | 'description' | 'error' | 'required' | 'size'> {
  readonly object: ObjectDefinition;
  readonly value: string | null;
  readonly onChange: (id: string | null) => void;
  readonly autoFocus?: boolean;
}

/** Chooses a record by typing a part of its name. */
export function ReferenceInput({ object, value, onChange, autoFocus, ...input }: Props) {
  const { t, label } = useWords();
  const [typed, setTyped] = useState<string>();
  const [words] = useDebouncedValue(typed?.trim() ?? '', TYPING_MS);
  const combobox = useCombobox({ onDropdownClose: () => setTyped(undefined) });
  const chosen = useQuery({ ...titleQuery(object, value ?? ''), enabled: value !== null });
  const found = useQuery({
    ...someQuery(
      object,
      {
        fields: [object.title],
        sort: object.title,
        filter: words ? { field: object.title, op: 'contains', value: words } : undefined,
      },
      SHOWN_MAX,
    ),
    enabled: combobox.dropdownOpened,
  });
  return (
    <Combobox
      store={combobox}
      onOptionSubmit={(id) => {
        onChange(id);
        combobox.closeDropdown();
      }}
    >
      <Combobox.Target>
        <InputBase
          {...input}
          data-autofocus={autoFocus || undefined}
          autoFocus={autoFocus ?? false}
          placeholder={t('field.searchIn', { object: label(object.plural_label) })}
          value={typed ?? (value === null ? '' : (chosen.data ?? '…'))}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            combobox.openDropdown();
            if (event.currentTarget.value === '') {
              onChange(null);
            }
          }}
          onFocus={() => combobox.openDropdown()}
          onClick={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
          rightSection={
            value === null ? (
              <Combobox.Chevron />
            ) : (
              <Combobox.ClearButton onClear={() => onChange(null)} aria-label={t('clear')} />
            )
          }
          rightSectionPointerEvents={value === null ? 'none' : 'all'}
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options mah={260} style={{ overflowY: 'auto' }}>
          {found.isPending && (
            <Combobox.Empty>
              <Loader size="xs" />
            </Combobox.Empty>
          )}
          {found.data?.data.length === 0 && <Combobox.Empty>{t('nothingFound')}</Combobox.Empty>}
          {found.data?.data.map((record) => (
            <Combobox.Option key={record.id} value={record.id}>
              {titleOf(object, record) || record.id}
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
