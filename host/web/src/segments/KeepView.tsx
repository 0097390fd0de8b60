import { Button, Group, Modal, Stack, Switch, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { answer, api, type ObjectDefinition, segmentOf } from '~/api/client';
import { type Filter, meQuery } from '~/api/queries';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';

/** Keeps conditions as a view of the list, which shows whoever meets them then. */
export function KeepView({ object, filter }: { object: ObjectDefinition; filter: Filter | undefined }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const me = useQuery(meQuery);
  const [naming, dialog] = useDisclosure(false);
  const [name, setName] = useState('');
  const [shared, setShared] = useState(true);
  const keep = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/v1/{objects}', {
          params: { path: { objects: 'views' } },
          body: { name, object: object.name, filter: filter ?? null, shared, ...(me.data && { owner: me.data.user }) },
        }),
      ),
    onSuccess: async (view) => {
      dialog.close();
      toast(t('view.saved'));
      await forgetRecords('view');
      void navigate({ to: '/objects/$objects', params: { objects: segmentOf(object) }, search: { view: view.id } });
    },
  });
  return (
    <>
      <Button variant="default" disabled={!filter} onClick={dialog.open}>
        {t('builder.keep')}
      </Button>
      <Modal opened={naming} onClose={dialog.close} title={t('builder.keep')} closeButtonProps={{ 'aria-label': t('close') }}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            keep.mutate();
          }}
        >
          <Stack>
            <TextInput
              label={t('builder.name')}
              description={t('builder.keepWhat')}
              required
              data-autofocus
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Switch label={t('view.shared')} checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
            {keep.isError && <ErrorBox error={keep.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={dialog.close}>
                {t('cancel')}
              </Button>
              <Button type="submit" loading={keep.isPending} disabled={name.trim() === ''}>
                {t('save')}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
