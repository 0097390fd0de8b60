import { Button, Group, Modal, Radio, Stack, Table, Text } from '@mantine/core';
import { useState } from 'react';
import type { AnyRecord, ObjectDefinition } from '~/api/client';
import { ApiError } from '~/api/errors';
import { fieldOf } from '~/api/objects';
import { FieldValue } from '~/fields/FieldValue';
import { useWords } from '~/i18n/hooks';
import { useSave } from '~/objects/save';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';

export interface Conflict {
  readonly field: string;
  readonly current: unknown;
  readonly mine: unknown;
}

/** The fields that somebody else changed meanwhile, from a refusal of 412. */
export function conflictsIn(error: unknown): Conflict[] {
  const conflicts = error instanceof ApiError && error.status === 412 ? error.problem?.conflicts : undefined;
  return Object.entries(conflicts ?? {}).map(([field, values]) => {
    const { current = null, mine = null } = values as { current?: unknown; mine?: unknown };
    return { field, current, mine };
  });
}

interface Props {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
  readonly conflicts: readonly Conflict[];
  readonly changes: Readonly<Record<string, unknown>>;
  readonly error: unknown;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** Two people changed the same fields: for each of them, whose value counts. */
export function ConflictDialog({ object, record, conflicts, changes, error, onClose, onDone }: Props) {
  const { t, label } = useWords();
  const [theirs, setTheirs] = useState<ReadonlySet<string>>(new Set());
  const version = error instanceof ApiError ? error.problem?.current_version : undefined;
  const save = useSave(object, { id: record.id, version });
  const choose = (field: string, mine: boolean) =>
    setTheirs((old) => {
      const next = new Set(old);
      if (mine) {
        next.delete(field);
      } else {
        next.add(field);
      }
      return next;
    });
  const done = () => {
    const kept = Object.fromEntries(Object.entries(changes).filter(([field]) => !theirs.has(field)));
    const end = () => {
      toast(t('record.saved'));
      onDone();
    };
    if (Object.keys(kept).length === 0) {
      onDone();
    } else {
      save.mutate(kept, { onSuccess: end });
    }
  };
  return (
    <Modal opened onClose={onClose} size="xl" title={t('conflict.title')} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        <Text fz="sm">{t('conflict.text')}</Text>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('conflict.field')}</Table.Th>
              <Table.Th>{t('conflict.mine')}</Table.Th>
              <Table.Th>{t('conflict.theirs')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {conflicts.map((conflict) => {
              const field = fieldOf(object, conflict.field);
              const name = field ? label(field.label) : conflict.field;
              const shown = (value: unknown) => (field ? <FieldValue field={field} value={value} /> : String(value));
              return (
                <Table.Tr key={conflict.field}>
                  <Table.Td>{name}</Table.Td>
                  <Table.Td>
                    <Radio
                      name={conflict.field}
                      label={shown(conflict.mine)}
                      aria-label={t('conflict.takeMine', { field: name })}
                      checked={!theirs.has(conflict.field)}
                      onChange={() => choose(conflict.field, true)}
                    />
                  </Table.Td>
                  <Table.Td>
                    <Radio
                      name={conflict.field}
                      label={shown(conflict.current)}
                      aria-label={t('conflict.takeTheirs', { field: name })}
                      checked={theirs.has(conflict.field)}
                      onChange={() => choose(conflict.field, false)}
                    />
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
        {save.isError && <ErrorBox error={save.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('conflict.goOn')}
          </Button>
          <Button loading={save.isPending} onClick={done}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
