import { ActionIcon, Alert, Button, Card, Group, Loader, Stack, Table, Text, TextInput } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { queryClient } from '~/api/cache';
import { answer, api, type ObjectDefinition } from '~/api/client';
import { finished } from '~/api/jobs';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toastError } from '~/ui/toasts';
import { badRowsQuery, type Import, importQuery, outcomeOf, type Row } from './imports';
import { Outcomes } from './Outcomes';

interface Props {
  readonly prepared: Import;
  readonly object: ObjectDefinition;
  readonly onDone: () => void;
}

/** Every row is tried without writing anything; what is wrong is mended here. */
export function CheckStep({ prepared, onDone }: Props) {
  const { t } = useWords();
  const id = prepared.id;
  const check = useMutation({
    mutationFn: async () => finished(await answer(api.POST('/api/v1/imports/{id}/validate', { params: { path: { id } } }))),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['import', id] }),
  });
  const begun = useRef(false);
  const { mutate } = check;
  useEffect(() => {
    if (!begun.current) {
      begun.current = true;
      mutate();
    }
  }, [mutate]);
  const outcome = check.isPending ? undefined : outcomeOf(prepared.checked);
  const rows = useQuery({ ...badRowsQuery(id, prepared.changed_at), enabled: (outcome?.failed ?? 0) > 0 });
  return (
    <Stack>
      {check.isPending && (
        <Group role="status">
          <Loader size="sm" />
          <Text>{t('import.checking', { count: prepared.rows })}</Text>
        </Group>
      )}
      {check.isError && <ErrorBox error={check.error} onRetry={() => check.mutate()} />}
      {outcome && <Outcomes outcome={outcome} planned />}
      {outcome && outcome.failed === 0 && <Alert color="teal">{t('import.allGood')}</Alert>}
      {rows.data && <BadRows prepared={prepared} rows={rows.data.data} more={rows.data.page.next !== null} />}
      <Group>
        <Button variant="default" loading={check.isPending} onClick={() => check.mutate()}>
          {t('import.checkAgain')}
        </Button>
        <Button disabled={!outcome || outcome.created + outcome.updated === 0} onClick={onDone}>
          {outcome && outcome.failed > 0 ? t('import.withoutBad', { count: outcome.failed }) : t('import.next')}
        </Button>
      </Group>
    </Stack>
  );
}

function BadRows({ prepared, rows, more }: { prepared: Import; rows: readonly Row[]; more: boolean }) {
  const { t } = useWords();
  const again = () => queryClient.invalidateQueries({ queryKey: importQuery(prepared.id).queryKey, exact: true });
  const change = useMutation({
    mutationFn: ({ row, cells }: { row: number; cells: Record<string, string> }) =>
      answer(
        api.PATCH('/api/v1/imports/{id}/rows/{row}', {
          params: { path: { id: prepared.id, row: String(row) } },
          body: { cells },
        }),
      ),
    onError: toastError,
  });
  const drop = useMutation({
    mutationFn: (row: number) =>
      answer(api.DELETE('/api/v1/imports/{id}/rows/{row}', { params: { path: { id: prepared.id, row: String(row) } } })),
    onSuccess: again,
    onError: toastError,
  });
  const columns = prepared.columns.map((column) => column.name);
  return (
    <Card withBorder padding="sm">
      <Text component="h2" fz="sm" fw={600}>
        {t('import.badRows')}
      </Text>
      <Text fz="xs" c="dimmed">
        {t('import.badRowsHint')} {more && t('import.moreBad')}
      </Text>
      <Table.ScrollContainer minWidth={Math.max(500, columns.length * 150)} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('import.line')}</Table.Th>
              {columns.map((column) => (
                <Table.Th key={column}>{column}</Table.Th>
              ))}
              <Table.Th>
                <span className="only-said">{t('record.actions')}</span>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => {
              const general = (row.errors ?? []).filter((error) => !error.column || !columns.includes(error.column));
              return (
                <Table.Tr key={row.row}>
                  <Table.Td>
                    {row.line ?? row.row}
                    {general.map((error) => (
                      <Text key={error.message} fz="xs" c="var(--mantine-color-error)">
                        {error.message}
                      </Text>
                    ))}
                  </Table.Td>
                  {columns.map((column) => {
                    const wrong = (row.errors ?? []).filter((error) => error.column === column).map((error) => error.message);
                    return (
                      <Table.Td key={column} style={{ verticalAlign: 'top' }}>
                        <TextInput
                          size="xs"
                          aria-label={t('import.cell', { column, line: row.line ?? row.row })}
                          defaultValue={row.cells[column] ?? ''}
                          error={wrong.length ? wrong.join('; ') : undefined}
                          onBlur={(event) => {
                            const text = event.currentTarget.value;
                            if (text !== (row.cells[column] ?? '')) {
                              change.mutate({ row: row.row, cells: { [column]: text } });
                            }
                          }}
                        />
                      </Table.Td>
                    );
                  })}
                  <Table.Td>
                    <ActionIcon
                      variant="subtle"
                      color="red"
                      aria-label={t('import.dropRow', { line: row.line ?? row.row })}
                      onClick={() => drop.mutate(row.row)}
                    >
                      <IconTrash size={16} />
                    </ActionIcon>
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}
