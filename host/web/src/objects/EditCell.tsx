import { Button, Group, Stack } from '@mantine/core';
import { useState } from 'react';
import type { AnyRecord, Field, ObjectDefinition } from '~/api/client';
import { fieldErrors } from '~/api/errors';
import { FieldInput } from '~/fields/FieldInput';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { useSave } from './save';

interface Props {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
  readonly field: Field;
  readonly currency: string;
  readonly onClose: () => void;
}

/** One field of a record in a list. */
export function EditCell({ object, record, field, currency, onClose }: Props) {
  const { t } = useWords();
  // As it was when editing began: what others change meanwhile is a conflict, not lost.
  const [start] = useState(record);
  const [value, setValue] = useState<unknown>(start[field.name]);
  const save = useSave(object, start);
  const wrong = fieldErrors(save.error)[field.name];
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ [field.name]: value ?? null }, { onSuccess: onClose });
      }}
    >
      <Stack>
        <FieldInput field={field} value={value} onChange={setValue} error={wrong} currency={currency} autoFocus />
        {save.isError && !wrong && <ErrorBox error={save.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
