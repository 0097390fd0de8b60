import { Group, Kbd, Loader, Modal, ScrollArea, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { useWords } from '~/i18n/hooks';
import { iconOf } from '~/workspaces/workspaces';
import classes from './Palette.module.css';
import { addressOf, type Item, useItems } from './paletteItems';

/** Everything by typing: lists, records, segments, plugins, new records. `/` pages only, `>` what can be done, `@` people, `#` segments. */
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
      window.open(addressOf(item), '_blank', 'noopener');
    } else {
      void navigate({ to: item.to, search: item.search ?? {} } as never);
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
          <Kbd size="xs">/</Kbd> {t('palette.lists')} · <Kbd size="xs">&gt;</Kbd> {t('palette.actions')} · <Kbd size="xs">@</Kbd>{' '}
          {t('palette.people')} · <Kbd size="xs">#</Kbd> {t('palette.segments')} · <Kbd size="xs">Ctrl Enter</Kbd>{' '}
          {t('palette.newTab')}
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
