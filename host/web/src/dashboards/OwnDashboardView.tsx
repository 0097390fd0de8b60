import { Button, Drawer, Group, SimpleGrid, Stack, Switch, TextInput } from '@mantine/core';
import { IconPencil, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ObjectDefinition } from '~/api/client';
import { useObjects } from '~/api/objects';
import { meQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { useDelete, useSave } from '~/objects/save';
import { ConfirmButton } from '~/ui/ConfirmButton';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { Moves, moved } from '~/ui/OrderedNames';
import { toast } from '~/ui/toasts';
import { CardForm } from './CardForm';
import { CardView } from './CardView';
import type { TitledCard } from './cards';
import type { OwnDashboard } from './own';

interface Props {
  readonly dashboard: OwnDashboard;
  readonly onGone: () => void;
}

/** A dashboard of one's own: looked at, arranged, shared. */
export function OwnDashboardView({ dashboard, onGone }: Props) {
  const { t, label } = useWords();
  const me = useQuery(meQuery);
  const [arranging, setArranging] = useState(dashboard.cards.length === 0);
  const mine = dashboard.owner === undefined || dashboard.owner === me.data?.user || me.data?.administrator === true;
  if (arranging) {
    return <Arrange dashboard={dashboard} onDone={() => setArranging(false)} onGone={onGone} />;
  }
  return (
    <Stack>
      {mine && (
        <Group>
          <Button size="xs" variant="default" leftSection={<IconPencil size={14} />} onClick={() => setArranging(true)}>
            {t('dashboards.arrange')}
          </Button>
        </Group>
      )}
      {dashboard.cards.length === 0 && <Empty title={t('dashboards.noCards')} />}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {dashboard.cards.map((card) => (
          <CardView key={JSON.stringify(card)} title={label(card.title)} card={card} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}

/** The cards as they are changed; saved as one. */
function Arrange({ dashboard, onDone, onGone }: Props & { onDone: () => void }) {
  const { t, label } = useWords();
  const object = useObjects().byName('dashboard');
  const [name, setName] = useState(dashboard.name);
  const [shared, setShared] = useState(dashboard.shared);
  const [cards, setCards] = useState<readonly TitledCard[]>(dashboard.cards);
  const [edited, setEdited] = useState<number | 'new'>();
  if (!object) {
    return null;
  }
  const keep = (card: TitledCard) => {
    setCards(edited === 'new' ? [...cards, card] : cards.map((one, place) => (place === edited ? card : one)));
    setEdited(undefined);
  };
  return (
    <Stack>
      <Group align="flex-end">
        <TextInput label={t('dashboards.name')} required value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Switch label={t('view.shared')} checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} pb={8} />
      </Group>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {cards.map((card, index) => (
          <Stack key={JSON.stringify(card)} gap={4}>
            <Group gap={4}>
              <Moves
                name={label(card.title)}
                index={index}
                last={cards.length - 1}
                onMove={(by) => setCards(moved(cards, index, by))}
                onRemove={() => setCards(cards.filter((_, place) => place !== index))}
              />
              <Button
                size="compact-xs"
                variant="subtle"
                aria-label={t('dashboards.editCard', { card: label(card.title) })}
                onClick={() => setEdited(index)}
              >
                {t('edit')}
              </Button>
            </Group>
            <CardView title={label(card.title)} card={card} />
          </Stack>
        ))}
      </SimpleGrid>
      <Group>
        <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => setEdited('new')}>
          {t('dashboards.addCard')}
        </Button>
      </Group>
      <Finish {...{ object, dashboard, onDone, onGone }} fields={{ name: name.trim(), shared, cards }} />
      <Drawer
        opened={edited !== undefined}
        onClose={() => setEdited(undefined)}
        position="right"
        size="lg"
        title={t('dashboards.card')}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        {edited !== undefined && (
          <CardForm card={edited === 'new' ? undefined : cards[edited]} onKeep={keep} onClose={() => setEdited(undefined)} />
        )}
      </Drawer>
    </Stack>
  );
}

interface FinishProps extends Props {
  readonly object: ObjectDefinition;
  readonly fields: { readonly name: string; readonly shared: boolean; readonly cards: readonly TitledCard[] };
  readonly onDone: () => void;
}

/** Saves everything as one change of the record, so that it can be undone as one. */
function Finish({ object, dashboard, fields, onDone, onGone }: FinishProps) {
  const { t } = useWords();
  const save = useSave(object, dashboard);
  const remove = useDelete(object);
  return (
    <>
      {save.isError && <ErrorBox error={save.error} />}
      {remove.isError && <ErrorBox error={remove.error} />}
      <Group>
        <Button
          loading={save.isPending}
          disabled={fields.name === ''}
          onClick={() =>
            save.mutate(fields, {
              onSuccess: () => {
                toast(t('record.saved'));
                onDone();
              },
            })
          }
        >
          {t('save')}
        </Button>
        <Button variant="default" onClick={onDone}>
          {t('cancel')}
        </Button>
        <ConfirmButton
          variant="subtle"
          color="red"
          loading={remove.isPending}
          question={t('dashboards.reallyDelete')}
          onConfirm={() => remove.mutate(dashboard.id, { onSuccess: onGone })}
        >
          {t('record.delete')}
        </ConfirmButton>
      </Group>
    </>
  );
}
