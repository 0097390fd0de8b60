import { Button, Card, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { AnyRecord, ObjectDefinition } from '~/api/client';
import { ApiError, fieldErrors } from '~/api/errors';
import { FieldInput } from '~/fields/FieldInput';
import { FieldValue } from '~/fields/FieldValue';
import { changesOf, type Included } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { type Layout, sectionsOf } from '~/objects/layout';
import { useSave } from '~/objects/save';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';
import { ConflictDialog, conflictsIn } from './ConflictDialog';

interface Props {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
  readonly layout: Layout | undefined;
  readonly included: Included | undefined;
  readonly currency: string;
  readonly editing: boolean;
  readonly onEdit: (editing: boolean) => void;
}

/** All fields by section. What is edited is saved as one change, so that rules and history see one. */
export function Details(props: Props) {
  return props.editing ? <Editor {...props} /> : <Reader {...props} />;
}

function Reader({ object, record, layout, included, onEdit }: Props) {
  const { t, label } = useWords();
  return (
    <Stack>
      {sectionsOf(object, layout).map((section) => (
        <Card key={section.name} withBorder padding="md">
          <Text component="h2" fz="sm" fw={600} mb="xs">
            {section.label ? label(section.label) : t('record.otherFields')}
          </Text>
          <SimpleGrid component="dl" cols={{ base: 1, sm: 2 }} m={0} spacing="sm">
            {section.fields.map((field) => (
              <div key={field.name} onDoubleClick={() => field.writable && !object.append_only && onEdit(true)}>
                <Text component="dt" fz="xs" c="dimmed">
                  {label(field.label)}
                </Text>
                <Text component="dd" fz="sm" m={0}>
                  <FieldValue field={field} value={record[field.name]} included={included} />
                </Text>
              </div>
            ))}
          </SimpleGrid>
        </Card>
      ))}
    </Stack>
  );
}

function Editor({ object, record, layout, currency, onEdit }: Props) {
  const { t, label } = useWords();
  // The record as it was when editing began: what comes meanwhile is a conflict only where both changed the same field.
  const [start] = useState(record);
  const [draft, setDraft] = useState<Readonly<Record<string, unknown>>>({});
  const save = useSave(object, start);
  const errors = fieldErrors(save.error);
  const changes = changesOf(start, draft);
  const count = Object.keys(changes).length;
  const conflicts = conflictsIn(save.error);
  const submit = () => {
    if (count === 0) {
      onEdit(false);
      return;
    }
    save.mutate(changes, {
      onSuccess: () => {
        toast(t('record.saved'));
        onEdit(false);
      },
    });
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onKeyDown={(event) => {
        if ((event.ctrlKey || event.metaKey) && (event.key === 's' || event.key === 'Enter')) {
          event.preventDefault();
          submit();
        } else if (event.key === 'Escape' && !event.defaultPrevented && count === 0) {
          onEdit(false);
        }
      }}
    >
      <Stack>
        {sectionsOf(object, layout).map((section) => {
          const fields = section.fields.filter((field) => field.writable);
          return (
            fields.length > 0 && (
              <Card key={section.name} withBorder padding="md">
                <Text component="h2" fz="sm" fw={600} mb="xs">
                  {section.label ? label(section.label) : t('record.otherFields')}
                </Text>
                <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
                  {fields.map((field) => (
                    <FieldInput
                      key={field.name}
                      field={field}
                      value={field.name in draft ? draft[field.name] : start[field.name]}
                      onChange={(value) => setDraft((old) => ({ ...old, [field.name]: value }))}
                      error={errors[field.name]}
                      currency={currency}
                    />
                  ))}
                </SimpleGrid>
              </Card>
            )
          );
        })}
        {save.isError && conflicts.length === 0 && !(save.error instanceof ApiError && Object.keys(errors).length > 0) && (
          <ErrorBox error={save.error} />
        )}
        <Card withBorder padding="sm" pos="sticky" bottom={8} style={{ zIndex: 3 }}>
          <Group justify="flex-end">
            <Text fz="sm" c={Object.keys(errors).length ? 'red' : 'dimmed'} role="status">
              {Object.keys(errors).length ? t('record.hasErrors') : t('record.unsaved', { count })}
            </Text>
            <Button variant="default" onClick={() => onEdit(false)}>
              {t('cancel')}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {t('save')}
            </Button>
          </Group>
        </Card>
      </Stack>
      {conflicts.length > 0 && (
        <ConflictDialog
          {...{ object, record, conflicts, changes }}
          error={save.error}
          onClose={save.reset}
          onDone={() => onEdit(false)}
        />
      )}
    </form>
  );
}
