import { Alert, Button, Drawer, Group, List, Stack } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { type ObjectDefinition, segmentOf } from '~/api/client';
import { ApiError, fieldErrors } from '~/api/errors';
import { RecordLink } from '~/components/RecordLink';
import { FieldInput } from '~/fields/FieldInput';
import { isEmpty } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';
import { fieldsToCreate } from './layout';
import { useCreate } from './save';

interface Props {
  readonly object: ObjectDefinition;
  readonly currency: string;
  readonly opened: boolean;
  readonly onClose: () => void;
  /** Fields that are set already: the record from whose page it is made. */
  readonly start?: Readonly<Record<string, unknown>>;
  /** Stays where it was opened. */
  readonly stay?: boolean;
}

/** The form for a new record: what is needed first, the rest behind a button. */
export function CreateDrawer({ object, opened, onClose, ...rest }: Props) {
  const { t, label } = useWords();
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size="lg"
      title={t('list.create', { object: label(object.label) })}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      {opened && <CreateForm {...{ object, onClose }} {...rest} />}
    </Drawer>
  );
}

function CreateForm({ object, currency, onClose, start = {}, stay }: Omit<Props, 'opened'>) {
  const { t } = useWords();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Readonly<Record<string, unknown>>>(start);
  const [more, setMore] = useState(false);
  const create = useCreate(object);
  const errors = fieldErrors(create.error);
  const { first, others } = fieldsToCreate(object, start);
  const shown = more ? [...first, ...others] : [...first, ...others.filter((field) => errors[field.name])];
  const duplicates =
    create.error instanceof ApiError && create.error.status === 409 ? (create.error.problem?.duplicates ?? []) : [];
  const submit = (despiteDuplicates: boolean) => {
    const fields = Object.fromEntries(Object.entries(draft).filter(([, value]) => !isEmpty(value)));
    create.mutate(
      { fields, despiteDuplicates },
      {
        onSuccess: (record) => {
          toast(t('record.created'));
          onClose();
          if (!stay) {
            void navigate({ to: '/objects/$objects/$id', params: { objects: segmentOf(object), id: record.id } });
          }
        },
      },
    );
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit(false);
      }}
    >
      <Stack>
        {shown.map((field, index) => (
          <FieldInput
            key={field.name}
            field={field}
            value={draft[field.name]}
            onChange={(value) => setDraft((old) => ({ ...old, [field.name]: value }))}
            error={errors[field.name]}
            currency={currency}
            autoFocus={index === 0}
          />
        ))}
        {!more && others.length > 0 && (
          <Button variant="subtle" onClick={() => setMore(true)}>
            {t('record.moreFields', { count: others.length })}
          </Button>
        )}
        {duplicates.length > 0 ? (
          <Alert color="yellow" title={t('record.duplicates')}>
            <List size="sm">
              {duplicates.map(({ id }) => (
                <List.Item key={id}>
                  <RecordLink object={object} id={id} />
                </List.Item>
              ))}
            </List>
            <Button size="xs" mt="xs" variant="default" onClick={() => submit(true)}>
              {t('record.createAnyway')}
            </Button>
          </Alert>
        ) : (
          create.isError && <ErrorBox error={create.error} />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {t('create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
