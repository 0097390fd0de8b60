import { Alert, Button, Card, Group, Select, Stack, Switch, Table, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { queryClient } from '~/api/cache';
import { answer, api, type ObjectDefinition } from '~/api/client';
import { fieldOf, useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { type ColumnMapping, type Import, importQuery, type Mapping, MODES, mappingOf, matchable, withField } from './imports';
import { ReferenceOptions } from './ReferenceOptions';

const SAMPLES_MAX = 3;

interface Props {
  readonly prepared: Import;
  readonly object: ObjectDefinition;
  readonly onDone: () => void;
}

/** Which column becomes which field. */
export function MapStep({ prepared, object, onDone }: Props) {
  const { t, label } = useWords();
  const objects = useObjects();
  const [mapping, setMapping] = useState<Mapping>(() => mappingOf(prepared));
  const [kept, setKept] = useState(false);
  const [name, setName] = useState(prepared.file_name ?? '');
  const save = useMutation({
    mutationFn: async () => {
      const body = { mapping: mapping as Record<string, unknown> };
      const saved = await answer(api.PATCH('/api/v1/imports/{id}', { params: { path: { id: prepared.id } }, body }));
      if (kept) {
        const record = { name, object: object.name, header: prepared.header_signature, mapping };
        await answer(api.POST('/api/v1/{objects}', { params: { path: { objects: 'import-mappings' } }, body: record }));
      }
      return saved;
    },
    onSuccess: (saved) => {
      queryClient.setQueryData(importQuery(prepared.id).queryKey, saved);
      onDone();
    },
  });
  const fields = object.fields
    .filter((field) => field.writable && !field.retired)
    .map((field) => ({ value: field.name, label: label(field.label) }));
  const choices = [{ value: 'id', label: t('import.recordId') }, ...fields];
  const missing = object.fields.filter(
    (field) =>
      field.required && field.writable && !field.default && !mapping.columns.some((column) => column.field === field.name),
  );
  const change = useCallback(
    (next: ColumnMapping) =>
      setMapping((old) => ({ ...old, columns: old.columns.map((one) => (one.column === next.column ? next : one)) })),
    [],
  );
  return (
    <Stack>
      {prepared.mapping_is_saved_one && <Alert color="teal">{t('import.savedMapping')}</Alert>}
      <Card withBorder padding={0}>
        <Table.ScrollContainer minWidth={640} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('import.column')}</Table.Th>
                <Table.Th>{t('import.samples')}</Table.Th>
                <Table.Th>{t('import.field')}</Table.Th>
                <Table.Th>{t('import.references')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {prepared.columns.map((column) => {
                const mapped = mapping.columns.find((one) => one.column === column.name);
                const target = objects.byName(fieldOf(object, mapped?.field ?? '')?.object);
                return (
                  <Table.Tr key={column.name}>
                    <Table.Th scope="row">{column.name}</Table.Th>
                    <Table.Td>
                      <Text fz="xs" c="dimmed" lineClamp={2}>
                        {column.samples.slice(0, SAMPLES_MAX).join(' · ')}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      <Select
                        aria-label={t('import.fieldOf', { column: column.name })}
                        placeholder={t('import.leftOut')}
                        data={choices}
                        searchable
                        clearable
                        value={mapped?.field ?? null}
                        onChange={(chosen) => setMapping((old) => withField(old, column.name, chosen))}
                        nothingFoundMessage={t('nothingFound')}
                      />
                    </Table.Td>
                    <Table.Td>
                      {mapped && target && (
                        <ReferenceOptions column={mapped} target={target} samples={column.samples} onChange={change} />
                      )}
                    </Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Card>
      {missing.length > 0 && (
        <Alert color="yellow">{t('import.missing', { fields: missing.map((field) => label(field.label)).join(', ') })}</Alert>
      )}
      <Card withBorder>
        <Group align="flex-end">
          <Select
            label={t('import.mode')}
            w={320}
            data={MODES.map((mode) => ({ value: mode, label: t(`import.modes.${mode}`) }))}
            allowDeselect={false}
            value={mapping.mode ?? 'upsert'}
            onChange={(chosen) => setMapping((old) => ({ ...old, mode: MODES.find((mode) => mode === chosen) ?? 'upsert' }))}
          />
          <Select
            label={t('import.match')}
            description={t('import.matchHint')}
            data={matchable(object).map((name) => ({
              value: name,
              label: fieldOf(object, name) ? label(fieldOf(object, name)?.label) : t('import.recordId'),
            }))}
            clearable
            value={mapping.match ?? null}
            onChange={(chosen) => setMapping((old) => ({ ...old, match: chosen ?? undefined }))}
          />
        </Group>
        <Group mt="md" align="flex-end">
          <Switch label={t('import.keepMapping')} checked={kept} onChange={(event) => setKept(event.currentTarget.checked)} />
          {kept && (
            <TextInput
              aria-label={t('import.mappingName')}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Group>
      </Card>
      {save.isError && <ErrorBox error={save.error} />}
      <Group>
        <Button loading={save.isPending} disabled={mapping.columns.length === 0} onClick={() => save.mutate()}>
          {t('import.check')}
        </Button>
      </Group>
    </Stack>
  );
}
