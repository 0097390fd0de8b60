import { Combobox, Textarea, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useEffectEvent, useState } from 'react';
import type { ObjectDefinition } from '~/api/client';
import { someQuery } from '~/api/queries';
import { titleOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { begun } from './mentions';

const SHOWN_MAX = 8;
const TYPING_MS = 150;

interface Props {
  readonly user: ObjectDefinition;
  readonly value: string;
  readonly mentioned: ReadonlyMap<string, string>;
  readonly onChange: (text: string, mentioned: ReadonlyMap<string, string>) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** A note in which `@` and the beginning of a name mention a colleague, who is told. */
export function NoteInput({ user, value, mentioned, onChange, onKeyDown }: Props) {
  const { t } = useWords();
  const combobox = useCombobox();
  const [caret, setCaret] = useState(0);
  const words = begun(value, caret, mentioned);
  const [asked] = useDebouncedValue(words, TYPING_MS);
  const found = useQuery({
    ...someQuery(
      user,
      {
        fields: [user.title],
        sort: user.title,
        ...(asked && { filter: { field: user.title, op: 'contains', value: asked } }),
      },
      SHOWN_MAX,
    ),
    enabled: asked !== undefined,
  });
  const first = useEffectEvent(() => combobox.selectFirstOption());
  useEffect(() => {
    if (found.data) {
      first();
    }
  }, [found.data]);
  const people = words === undefined ? [] : (found.data?.data ?? []);
  const choose = (id: string) => {
    const name = titleOf(user, people.find((one) => one.id === id) ?? { id });
    const at = value.lastIndexOf('@', caret - 1);
    onChange(`${value.slice(0, at)}@${name} ${value.slice(caret)}`, new Map([...mentioned, [name, id]]));
    setCaret(at + name.length + 2);
    combobox.closeDropdown();
  };
  return (
    <Combobox
      store={combobox}
      onOptionSubmit={choose}
      position="bottom-start"
      width={240}
      attributes={{ dropdown: { role: 'region', 'aria-label': t('composer.mention') } }}
    >
      <Combobox.Target withAriaAttributes={false}>
        <Textarea
          aria-label={t('composer.text')}
          placeholder={t('composer.noteHint')}
          autosize
          minRows={2}
          maxRows={10}
          value={value}
          onChange={({ currentTarget }) => {
            setCaret(currentTarget.selectionStart);
            onChange(currentTarget.value, mentioned);
            if (begun(currentTarget.value, currentTarget.selectionStart, mentioned) === undefined) {
              combobox.closeDropdown();
            } else {
              combobox.openDropdown();
            }
          }}
          onBlur={() => combobox.closeDropdown()}
          onKeyDown={onKeyDown}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={people.length === 0}>
        <Combobox.Options aria-label={t('composer.mention')}>
          {people.map((one) => (
            <Combobox.Option key={one.id} value={one.id}>
              {titleOf(user, one)}
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
