import { Button, Group, Menu, Modal, Stack, Switch, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown, IconDeviceFloppy, IconEye, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { answer, api, type ObjectDefinition } from '~/api/client';
import { meQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast, toastError } from '~/ui/toasts';
import { type ListSearch, NO_GROUP } from './search';
import type { View } from './views';

interface Props {
  readonly object: ObjectDefinition;
  readonly search: ListSearch;
  readonly set: (change: Partial<ListSearch>) => Promise<void>;
  readonly views: readonly View[];
  readonly sort: string | undefined;
  readonly columns: readonly string[];
}

const NO_VIEW = {
  view: undefined,
  filter: undefined,
  sort: undefined,
  columns: undefined,
  group: undefined,
  q: undefined,
} as const;

/** Saved views, one tab each, and what is unsaved about the one that is open. */
export function ViewTabs({ object, search, set, views, sort, columns }: Props) {
  const { t } = useWords();
  const me = useQuery(meQuery);
  const [naming, dialog] = useDisclosure(false);
  const open = views.find((view) => view.id === search.view);
  const changed =
    search.filter !== undefined || search.sort !== undefined || search.columns !== undefined || search.group !== undefined;
  const fields = {
    filter: search.filter ?? open?.filter ?? null,
    sort: sort ?? null,
    columns: [...columns],
    group_by: search.group === NO_GROUP ? null : (search.group ?? open?.groupBy ?? null),
  };
  const update = useMutation({
    mutationFn: (view: View) =>
      answer(api.PATCH('/api/v1/{objects}/{id}', { params: { path: { objects: 'views', id: view.id } }, body: fields })),
    onSuccess: async (_, view) => {
      await forgetRecords('view');
      await set({ ...NO_VIEW, view: view.id, q: search.q });
      toast(t('view.saved'));
    },
    onError: toastError,
  });
  const remove = useMutation({
    mutationFn: (view: View) =>
      answer(api.DELETE('/api/v1/{objects}/{id}', { params: { path: { objects: 'views', id: view.id } } })),
    onSuccess: async () => {
      await set(NO_VIEW);
      await forgetRecords('view');
    },
    onError: toastError,
  });
  // The tab of a view goes with the click, not with the list of views that is asked for afterwards.
  const shown = remove.isPending ? views.filter((view) => view.id !== remove.variables.id) : views;
  const mine = (view: View) => view.owner === undefined || view.owner === me.data?.user || me.data?.administrator === true;
  return (
    <Group gap={4} role="group" aria-label={t('view.views')}>
      <Tab active={!search.view} onClick={() => void set(NO_VIEW)}>
        {t('view.all')}
      </Tab>
      {shown.map((view) => (
        <Tab key={view.id} active={view.id === search.view} onClick={() => void set({ ...NO_VIEW, view: view.id })}>
          {view.name}
        </Tab>
      ))}
      {(changed || open) && (
        <Menu>
          <Menu.Target>
            <Button size="compact-sm" variant="subtle" rightSection={<IconChevronDown size={14} />}>
              {changed ? t('view.unsaved') : t('view.actions')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {open && changed && mine(open) && (
              <Menu.Item leftSection={<IconDeviceFloppy size={16} />} onClick={() => update.mutate(open)}>
                {t('view.save', { view: open.name })}
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconEye size={16} />} onClick={dialog.open}>
              {t('view.saveAs')}
            </Menu.Item>
            {open && mine(open) && (
              <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={() => remove.mutate(open)}>
                {t('view.remove', { view: open.name })}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      <Modal opened={naming} onClose={dialog.close} title={t('view.saveAs')} closeButtonProps={{ 'aria-label': t('close') }}>
        <NewView
          object={object}
          fields={{ ...fields, owner: me.data?.user ?? null }}
          onSaved={(id) => {
            dialog.close();
            void set({ ...NO_VIEW, view: id, q: search.q });
          }}
        />
      </Modal>
    </Group>
  );
}

function Tab({ active, onClick, children }: { active: boolean; onClick: () => void; children: React.ReactNode }) {
  return (
    <Button
      size="compact-sm"
      variant={active ? 'light' : 'subtle'}
      color={active ? undefined : 'gray'}
      aria-pressed={active}
      onClick={onClick}
    >
      {children}
    </Button>
  );
}

interface NewProps {
  readonly object: ObjectDefinition;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly onSaved: (id: string) => void;
}

function NewView({ object, fields, onSaved }: NewProps) {
  const { t } = useWords();
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const save = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/v1/{objects}', {
          params: { path: { objects: 'views' } },
          body: { ...fields, name, shared, object: object.name },
        }),
      ),
    onSuccess: async (view) => {
      await forgetRecords('view');
      onSaved(view.id);
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack>
        <TextInput
          label={t('view.name')}
          required
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Switch label={t('view.shared')} checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
        {save.isError && <ErrorBox error={save.error} />}
        <Button type="submit" loading={save.isPending}>
          {t('save')}
        </Button>
      </Stack>
    </form>
  );
}
