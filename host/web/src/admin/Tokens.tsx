import { Alert, Button, Card, Code, CopyButton, Group, Modal, Table, Text, TextInput } from '@mantine/core';
import { DateInput } from '@mantine/dates';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '~/api/cache';
import { answer, api } from '~/api/client';
import { useObjects } from '~/api/objects';
import { RecordLink } from '~/components/RecordLink';
import { useWords } from '~/i18n/hooks';
import { ConfirmButton } from '~/ui/ConfirmButton';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast, toastError } from '~/ui/toasts';
import { WideTable } from '~/ui/WideTable';

const KEY = ['tokens'];

/** The tokens with which people and programs sign in. */
export function Tokens() {
  const { t, formats } = useWords();
  const user = useObjects().byName('user');
  const [making, setMaking] = useState(false);
  const asked = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => (await answer(api.GET('/api/v1/tokens', { signal }))).data,
  });
  const end = useMutation({
    mutationFn: (id: string) => answer(api.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } })),
    onSuccess: () => {
      toast(t('tokens.ended'));
      void queryClient.invalidateQueries({ queryKey: KEY });
    },
    onError: toastError,
  });
  return (
    <Card withBorder component="section" aria-label={t('tokens.title')}>
      <Group justify="space-between">
        <Text fw={600}>{t('tokens.title')}</Text>
        <Button size="xs" onClick={() => setMaking(true)}>
          {t('tokens.create')}
        </Button>
      </Group>
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      <WideTable
        minWidth={640}
        head={[
          t('tokens.label'),
          t('tokens.user'),
          t('tokens.used'),
          t('tokens.expires'),
          <span key="actions" className="only-said">
            {t('record.actions')}
          </span>,
        ]}
      >
        {asked.data?.map((token) => (
          <Table.Tr key={token.id}>
            <Table.Td>
              {token.label}{' '}
              <Text span fz="xs" c="dimmed">
                {token.id}
              </Text>
            </Table.Td>
            <Table.Td>{user ? <RecordLink object={user} id={token.user} /> : token.user}</Table.Td>
            <Table.Td>{token.last_used_at ? formats.ago(token.last_used_at) : '–'}</Table.Td>
            <Table.Td>{token.expires_at ? formats.time(token.expires_at) : t('tokens.never')}</Table.Td>
            <Table.Td>
              <ConfirmButton
                size="compact-sm"
                variant="subtle"
                color="red"
                aria-label={t('tokens.end', { token: token.label })}
                loading={end.isPending && end.variables === token.id}
                question={t('tokens.really')}
                onConfirm={() => end.mutate(token.id)}
              >
                {t('tokens.endIt')}
              </ConfirmButton>
            </Table.Td>
          </Table.Tr>
        ))}
      </WideTable>
      <Modal
        opened={making}
        onClose={() => setMaking(false)}
        title={t('tokens.create')}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        {making && <NewToken onClose={() => setMaking(false)} />}
      </Modal>
    </Card>
  );
}

function NewToken({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const [label, setLabel] = useState('');
  const [until, setUntil] = useState<string | null>(null);
  const make = useMutation({
    mutationFn: () => answer(api.POST('/api/v1/tokens', { body: { label, ...(until && { expires_at: `${until}T23:59:59Z` }) } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: KEY }),
  });
  if (make.data) {
    const { token } = make.data;
    return (
      <>
        <Alert color="teal">{t('tokens.once')}</Alert>
        <Code block my="sm">
          {token}
        </Code>
        <Group justify="flex-end">
          <CopyButton value={token}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? t('tokens.copied') : t('tokens.copy')}
              </Button>
            )}
          </CopyButton>
          <Button onClick={onClose}>{t('close')}</Button>
        </Group>
      </>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <TextInput
        label={t('tokens.label')}
        description={t('tokens.labelWhat')}
        required
        value={label}
        data-autofocus
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
      <DateInput label={t('tokens.expires')} clearable value={until} onChange={setUntil} mt="sm" />
      {make.isError && <ErrorBox error={make.error} />}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button type="submit" loading={make.isPending} disabled={label.trim() === ''}>
          {t('create')}
        </Button>
      </Group>
    </form>
  );
}
