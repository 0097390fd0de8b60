import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ObjectDefinition } from '~/api/client';
import { fieldsOf, useObjects } from '~/api/objects';
import { serverQuery } from '~/api/queries';
import { conditionsOf, filterOf } from '~/filters/conditions';
import { FilterBuilder } from '~/filters/FilterBuilder';
import { useWords } from '~/i18n/hooks';
import { canGroup } from '~/objects/GroupedList';
import { useDerivedFields } from '~/objects/views';
import { isNumber } from '~/table/columns';
import { filledLabel, LabelInputs, NO_LABEL } from '~/ui/LabelInputs';
import { BUCKETS, type Bucket, type CardFunction, FUNCTIONS, type TitledCard } from './cards';

interface Props {
  readonly card: TitledCard | undefined;
  readonly onKeep: (card: TitledCard) => void;
  readonly onClose: () => void;
}

/** What a card counts. */
export function CardForm({ card, onKeep, onClose }: Props) {
  const { t, label } = useWords();
  const objects = useObjects();
  const [name, setName] = useState<string | null>(card?.object ?? null);
  const object = objects.byName(name ?? undefined);
  return (
    <Stack>
      <Select
        label={t('dashboards.counts')}
        required
        searchable
        data={objects.all.filter((one) => !one.retired).map((one) => ({ value: one.name, label: label(one.plural_label) }))}
        value={name}
        onChange={setName}
      />
      {object && (
        <CardOf
          key={object.name}
          object={object}
          card={card?.object === object.name ? card : undefined}
          onKeep={onKeep}
          onClose={onClose}
        />
      )}
    </Stack>
  );
}

function CardOf({ object, card, onKeep, onClose }: Props & { object: ObjectDefinition }) {
  const { t, label } = useWords();
  const derived = useDerivedFields(object);
  const server = useQuery(serverQuery);
  const [title, setTitle] = useState(card?.title ?? NO_LABEL);
  const [reckoned, setReckoned] = useState<CardFunction>(card?.function ?? 'count');
  const [field, setField] = useState<string | null>(card?.field ?? null);
  const [by, setBy] = useState<string | null>(card?.by?.field ?? null);
  const [bucket, setBucket] = useState<Bucket>(card?.by?.bucket ?? 'month');
  const [conditions, setConditions] = useState(() => conditionsOf(card?.filter));
  const fields = [...fieldsOf(object), ...derived];
  const named = (list: typeof fields) => list.map((one) => ({ value: one.name, label: label(one.label) }));
  const grouped = fields.find((one) => one.name === by);
  const dated = grouped?.type === 'date' || grouped?.type === 'time';
  const ready = (title.en !== '' || title['zh-CN'] !== '') && (reckoned === 'count' || field !== null);
  const keep = () => {
    const filter = filterOf(conditions);
    onKeep({
      title: filledLabel(title),
      object: object.name,
      ...(filter && { filter }),
      ...(reckoned !== 'count' && field && { function: reckoned, field }),
      ...(by && { by: { field: by, ...(dated && { bucket }) } }),
    });
  };
  return (
    <>
      <LabelInputs title={t('dashboards.cardTitle')} value={title} onChange={setTitle} required />
      <Group grow align="flex-start">
        <Select
          label={t('dashboards.reckons')}
          allowDeselect={false}
          data={FUNCTIONS.map((value) => ({ value, label: t(`dashboards.functions.${value}`) }))}
          value={reckoned}
          onChange={(next) => next && setReckoned(next as CardFunction)}
        />
        {reckoned !== 'count' && (
          <Select
            label={t('dashboards.of')}
            required
            searchable
            data={named(fields.filter(isNumber))}
            value={field}
            onChange={setField}
          />
        )}
      </Group>
      <Group grow align="flex-start">
        <Select
          label={t('dashboards.by')}
          description={t('dashboards.byWhat')}
          searchable
          clearable
          data={named(fields.filter((one) => canGroup(one) || one.type === 'date' || one.type === 'time'))}
          value={by}
          onChange={setBy}
        />
        {dated && (
          <Select
            label={t('dashboards.bucket')}
            description=" "
            allowDeselect={false}
            data={BUCKETS.map((value) => ({ value, label: t(`dashboards.buckets.${value}`) }))}
            value={bucket}
            onChange={(next) => next && setBucket(next as Bucket)}
          />
        )}
      </Group>
      <Text fz="sm" fw={500}>
        {t('dashboards.only')}
      </Text>
      <FilterBuilder
        object={object}
        value={conditions}
        onChange={setConditions}
        currency={server.data?.base_currency ?? 'USD'}
        more={derived}
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button disabled={!ready} onClick={keep}>
          {t('dashboards.keepCard')}
        </Button>
      </Group>
    </>
  );
}
