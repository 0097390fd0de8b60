import { Group, Kbd, Loader, Modal, ScrollArea, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useId, useMemo, useRef, useState } from 'react';
import { segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { findQuery } from '~/api/queries';
import { recent } from '~/components/recent';
import { useWords } from '~/i18n/hooks';
import { BASE, recordOf } from '~/paths';
import { SCREENS } from '~/workspaces/screens';
import { iconOf, PARTS } from '~/workspaces/workspaces';
import classes from './Palette.module.css';
import { matcher, usePinyin } from './pinyin';

const TYPING_MS = 120;
const GROUP_MAX = 8;

interface Item {
  readonly id: string;
  readonly group: 'recent' | 'records' | 'navigate' | 'create';
  readonly text: string;
  readonly note: string;
  readonly object: string;
  /** Where it leads, below the base. */
  readonly to: string;
}

/** Everything by typing: lists, records, new records. `/` lists only, `>` what can be done. */
export function Palette({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal.Root opened={opened} onClose={onClose} size="lg" yOffset="12vh">
      <Modal.Overlay />
      <Modal.Content aria-label={t('palette.title')}>
        <Modal.Body p={0}>{opened && <Search onClose={onClose} />}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Search({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const { items, searching } = useItems(typed);
  const chosen = items[Math.min(active, items.length - 1)];
  const go = (item: Item, elsewhere: boolean) => {
    if (elsewhere) {
      window.open(`${BASE}${item.to}`, '_blank', 'noopener');
    } else {
      const [to, query] = item.to.split('?');
      void navigate({ to, search: query ? Object.fromEntries([[query, true]]) : {} } as never);
    }
    onClose();
  };
  const move = (by: number) => {
    const next = items.length ? (Math.min(active, items.length - 1) + by + items.length) % items.length : 0;
    setActive(next);
    list.current?.querySelector(`[data-index="${next}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  const onKey = (event: KeyboardEvent) => {
    // Enter ends a word that is being composed; it chooses nothing.
    if (event.nativeEvent.isComposing) {
      return;
    }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      move(event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Enter' && chosen) {
      event.preventDefault();
      go(chosen, event.ctrlKey || event.metaKey);
    }
  };
  return (
    <>
      <TextInput
        size="lg"
        variant="unstyled"
        px="md"
        data-autofocus
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={chosen ? `${listId}-${chosen.id}` : undefined}
        aria-label={t('palette.title')}
        placeholder={t('palette.placeholder')}
        leftSection={<IconSearch size={18} />}
        rightSection={searching && <Loader size="xs" />}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKey}
      />
      <ScrollArea.Autosize mah="56vh" viewportRef={list}>
        <div role="listbox" id={listId} aria-label={t('palette.results')} className={classes.list}>
          {items.length === 0 && (
            <Text p="md" c="dimmed" fz="sm">
              {searching ? t('loading') : t('nothingFound')}
            </Text>
          )}
          {items.map((item, index) => (
            <PaletteItem
              key={item.id}
              item={item}
              id={`${listId}-${item.id}`}
              index={index}
              first={items[index - 1]?.group !== item.group}
              active={item === chosen}
              onChoose={(elsewhere) => go(item, elsewhere)}
            />
          ))}
        </div>
      </ScrollArea.Autosize>
      <Group px="md" py={6} gap="md" className={classes.foot}>
        <Text fz="xs" c="dimmed">
          <Kbd size="xs">/</Kbd> {t('palette.lists')} · <Kbd size="xs">&gt;</Kbd> {t('palette.actions')} ·{' '}
          <Kbd size="xs">Ctrl Enter</Kbd> {t('palette.newTab')}
        </Text>
      </Group>
    </>
  );
}

interface ItemProps {
  readonly item: Item;
  readonly id: string;
  readonly index: number;
  readonly first: boolean;
  readonly active: boolean;
  readonly onChoose: (elsewhere: boolean) => void;
}

function PaletteItem({ item, id, index, first, active, onChoose }: ItemProps) {
  const { t } = useWords();
  const Icon = iconOf(item.object);
  return (
    <>
      {first && (
        <Text fz="xs" c="dimmed" px="md" pt={6} role="presentation">
          {t(`palette.group.${item.group}`)}
        </Text>
      )}
      <div
        role="option"
        id={id}
        data-index={index}
        aria-selected={active}
        className={classes.item}
        onClick={(event) => onChoose(event.ctrlKey || event.metaKey)}
      >
        <Icon size={18} aria-hidden />
        <Text fz="sm" flex={1} truncate>
          {item.text}
        </Text>
        <Text fz="xs" c="dimmed">
          {item.note}
        </Text>
      </div>
    </>
  );
}

function useItems(typed: string): { items: readonly Item[]; searching: boolean } {
  const { t, label } = useWords();
  const objects = useObjects();
  const pinyin = usePinyin();
  const prefix = typed[0] === '/' || typed[0] === '>' ? typed[0] : '';
  const words = typed.slice(prefix.length).trim();
  const [asked] = useDebouncedValue(words, TYPING_MS);
  const wantsRecords = prefix === '' && asked !== '';
  const found = useQuery({ ...findQuery(asked), enabled: wantsRecords });
  const fixed = useMemo(() => {
    const shown = objects.all.filter((object) => !object.retired && !PARTS.has(object.name));
    return shown.flatMap((object): Item[] => {
      const [name, plural] = [label(object.label), label(object.plural_label)];
      const base = { object: object.name, note: '' };
      const list: Item = {
        ...base,
        id: `n-${object.name}`,
        group: 'navigate',
        text: plural,
        to: `/objects/${segmentOf(object)}`,
      };
      const create: Item = {
        ...base,
        id: `c-${object.name}`,
        group: 'create',
        text: t('list.create', { object: name }),
        to: `${list.to}?create`,
      };
      return [list, create];
    });
  }, [objects, label, t]);
  const matches = matcher(words, pinyin);
  const screens = SCREENS.map(
    ({ to, title }): Item => ({ id: `s-${to}`, group: 'navigate', text: t(title), note: '', object: '', to }),
  );
  const named = (item: Item) => {
    const object = objects.byName(item.object);
    return (
      matches(item.text) ||
      matches(object?.label.en ?? '') ||
      matches(object?.plural_label.en ?? '') ||
      matches(object?.label['zh-CN'] ?? '')
    );
  };
  const places = [...fixed.filter((item) => item.group === 'navigate'), ...screens];
  const lists = prefix === '>' ? [] : places.filter(named).slice(0, GROUP_MAX);
  const actions =
    prefix === '/' ? [] : fixed.filter((item) => item.group === 'create' && named(item)).slice(0, words ? GROUP_MAX : 4);
  const records = (wantsRecords ? (found.data ?? []) : []).flatMap(({ object: name, id, title }): Item[] => {
    const object = objects.byName(name);
    return object
      ? [
          {
            id: `r-${id}`,
            group: 'records',
            text: title ?? id,
            note: label(object.label),
            object: name,
            to: recordOf(object, id),
          },
        ]
      : [];
  });
  const visited = prefix === '' && words === '' ? recent() : [];
  const last = visited.slice(0, GROUP_MAX).flatMap(({ object: name, id, title }): Item[] => {
    const object = objects.byName(name);
    return object
      ? [{ id: `v-${id}`, group: 'recent', text: title, note: label(object.label), object: name, to: recordOf(object, id) }]
      : [];
  });
  return { items: [...last, ...records, ...lists, ...actions], searching: wantsRecords && found.isFetching };
}
