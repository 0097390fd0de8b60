import { Button, Drawer, Group, Loader, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type ObjectDefinition, segmentOf } from '~/api/client';
import { recordQuery } from '~/api/queries';
import { titleOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { layoutOf } from '~/objects/layout';
import { ErrorBox } from '~/ui/ErrorBox';
import { Details } from './Details';
import { includedIn } from './included';
import { StagePath } from './StagePath';
import { Standing } from './Standing';

interface Props {
  readonly object: ObjectDefinition;
  readonly id: string | undefined;
  readonly currency: string;
  readonly onClose: () => void;
}

/** A record beside its list: looked at and changed without leaving the list. */
export function Peek({ object, id, currency, onClose }: Props) {
  const { t, label } = useWords();
  return (
    <Drawer
      opened={id !== undefined}
      onClose={onClose}
      position="right"
      size="lg"
      title={label(object.label)}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      {id && <Peeked key={id} object={object} id={id} currency={currency} />}
    </Drawer>
  );
}

function Peeked({ object, id, currency }: { object: ObjectDefinition; id: string; currency: string }) {
  const { t } = useWords();
  const asked = useQuery(recordQuery(object, id));
  const [editing, setEditing] = useState(false);
  const record = asked.data;
  if (asked.isError && !record) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  if (!record) {
    return <Loader aria-label={t('loading')} />;
  }
  const canEdit = !object.append_only && object.fields.some((field) => field.writable);
  return (
    <Stack>
      <Group justify="space-between">
        <Button
          variant="subtle"
          px={0}
          renderRoot={(props) => (
            <Link to="/objects/$objects/$id" params={{ objects: segmentOf(object), id: record.id }} {...props} />
          )}
        >
          {titleOf(object, record) || record.id.slice(0, 8)}
        </Button>
        {canEdit && !editing && (
          <Button size="xs" variant="default" onClick={() => setEditing(true)}>
            {t('edit')}
          </Button>
        )}
      </Group>
      <StagePath object={object} record={record} currency={currency} />
      {object.has_columns && <Standing object={object} record={record} />}
      <Details
        {...{ object, record, currency, editing }}
        layout={layoutOf(object, record)}
        included={includedIn(record)}
        onEdit={setEditing}
      />
    </Stack>
  );
}
