import { Button, Group, Modal, Paper, Select, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowMerge, IconEdit, IconTrash } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { answer, api, type ObjectDefinition, segmentOf } from '~/api/client';
import { finished } from '~/api/jobs';
import type { Filter } from '~/api/queries';
import { FieldInput } from '~/fields/FieldInput';
import { useWords } from '~/i18n/hooks';
import { NOTHING_SELECTED, type Selection } from '~/table/RecordTable';
import { ErrorBox } from '~/ui/ErrorBox';
import { offerUndo } from './undo';

/** So many records can be compared side by side. */
const MERGED_MAX = 5;

interface Props {
  readonly object: ObjectDefinition;
  readonly selection: Selection;
  readonly onSelect: (selection: Selection) => void;
  readonly filter: Filter | undefined;
  readonly q: string | undefined;
  readonly total: number | undefined;
  readonly currency: string;
}

/** What is done to many records at once. */
export function BulkBar({ object, selection, onSelect, filter, q, total, currency }: Props) {
  const { t, formats } = useWords();
  const [editing, editor] = useDisclosure(false);
  const [deleting, asker] = useDisclosure(false);
  const count = selection.all ? (total ?? 0) : selection.ids.size;
  const meant: Filter = selection.all ? (filter ?? { and: [] }) : { field: 'id', op: 'in', value: [...selection.ids] };
  const bulk = useMutation({
    mutationFn: async (change: { set?: Record<string, unknown>; delete?: boolean }) => {
      const body = { filter: meant, ...change };
      return finished(
        await answer(api.POST('/api/v1/{objects}/bulk', { params: { path: { objects: segmentOf(object) } }, body })),
      );
    },
    onSuccess: async (job) => {
      editor.close();
      asker.close();
      onSelect(NOTHING_SELECTED);
      await forgetRecords(object.name);
      offerUndo(t('bulk.done', { count, total: formats.number(count) }), { job: job.id }, object.name);
    },
  });
  // Words are not part of a filter: what they found cannot be meant as a whole.
  const canTakeAll = !selection.all && !q && total !== undefined && total > selection.ids.size;
  return (
    <Paper withBorder p="xs" role="region" aria-label={t('bulk.title')}>
      <Group gap="xs">
        <Text fz="sm" fw={600}>
          {t('bulk.selected', { count, total: formats.number(count) })}
        </Text>
        {canTakeAll && (
          <Button size="compact-sm" variant="subtle" onClick={() => onSelect({ ids: new Set(), all: true })}>
            {t('bulk.selectAll', { count: total, total: formats.number(total) })}
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="light"
          leftSection={<IconEdit size={14} />}
          onClick={editor.open}
          disabled={object.append_only}
        >
          {t('bulk.edit')}
        </Button>
        {!selection.all && selection.ids.size >= 2 && selection.ids.size <= MERGED_MAX && (
          <Button
            size="compact-sm"
            variant="light"
            leftSection={<IconArrowMerge size={14} />}
            renderRoot={(props) => (
              <Link
                to="/merge/$objects"
                params={{ objects: segmentOf(object) }}
                search={{ ids: [...selection.ids] }}
                {...props}
              />
            )}
          >
            {t('bulk.merge')}
          </Button>
        )}
        <Button size="compact-sm" variant="light" color="red" leftSection={<IconTrash size={14} />} onClick={asker.open}>
          {t('bulk.delete')}
        </Button>
        <Button size="compact-sm" variant="subtle" color="gray" onClick={() => onSelect(NOTHING_SELECTED)}>
          {t('bulk.clear')}
        </Button>
      </Group>
      <Modal
        opened={editing}
        onClose={editor.close}
        title={t('bulk.editTitle', { count })}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        <SetField
          object={object}
          currency={currency}
          error={bulk.error}
          pending={bulk.isPending}
          onSet={(field, value) => bulk.mutate({ set: { [field]: value } })}
        />
      </Modal>
      <Modal
        opened={deleting}
        onClose={asker.close}
        title={t('bulk.deleteTitle', { count })}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        <Stack>
          <Text fz="sm">{t('bulk.deleteText')}</Text>
          {bulk.isError && <ErrorBox error={bulk.error} />}
          <Group justify="flex-end">
            <Button variant="default" data-autofocus onClick={asker.close}>
              {t('cancel')}
            </Button>
            <Button color="red" loading={bulk.isPending} onClick={() => bulk.mutate({ delete: true })}>
              {t('bulk.delete')}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Paper>
  );
}

interface SetProps {
  readonly object: ObjectDefinition;
  readonly currency: string;
  readonly error: unknown;
  readonly pending: boolean;
  readonly onSet: (field: string, value: unknown) => void;
}

function SetField({ object, currency, error, pending, onSet }: SetProps) {
  const { t, label } = useWords();
  const fields = object.fields.filter((field) => field.writable && !field.retired && !field.unique);
  const [name, setName] = useState<string | null>(null);
  const [value, setValue] = useState<unknown>(null);
  const field = fields.find((field) => field.name === name);
  return (
    <Stack>
      <Select
        label={t('bulk.field')}
        searchable
        data-autofocus
        data={fields.map((field) => ({ value: field.name, label: label(field.label) }))}
        value={name}
        onChange={(chosen) => {
          setName(chosen);
          setValue(null);
        }}
      />
      {field && <FieldInput field={{ ...field, required: false }} value={value} onChange={setValue} currency={currency} />}
      {error ? <ErrorBox error={error} /> : null}
      <Button disabled={!field} loading={pending} onClick={() => field && onSet(field.name, value === '' ? null : value)}>
        {t('bulk.apply')}
      </Button>
    </Stack>
  );
}
