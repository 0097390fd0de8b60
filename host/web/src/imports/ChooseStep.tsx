import { Button, Card, FileInput, Group, Select, Stack, Tabs, Text, Textarea } from '@mantine/core';
import { IconDownload, IconFile } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, download, segmentOf } from '~/api/client';
import { useObjects } from '~/api/objects';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toastError } from '~/ui/toasts';
import { PARTS } from '~/workspaces/workspaces';
import { importsQuery } from './imports';

interface Props {
  readonly object: string | undefined;
  readonly onPrepared: (id: string) => void;
}

/** The file, and what its rows are. */
export function ChooseStep({ object: wanted, onPrepared }: Props) {
  const { t, label } = useWords();
  const objects = useObjects();
  const [name, setName] = useState(wanted ?? 'account');
  const [file, setFile] = useState<File | null>(null);
  const [pasted, setPasted] = useState('');
  const object = objects.byName(name);
  const upload = useMutation({
    mutationFn: (table: File) => {
      const form = new FormData();
      form.append('object', name);
      form.append('file', table, table.name);
      return answer(api.POST('/api/v1/imports', { body: { file: '' }, bodySerializer: () => form }));
    },
    onSuccess: (prepared) => onPrepared(prepared.id),
  });
  const choices = objects.all
    .filter((object) => !object.retired && (!PARTS.has(object.name) || object.name.endsWith('_line')))
    .map((object) => ({ value: object.name, label: label(object.plural_label) }));
  const take = (format: 'csv' | 'xlsx') =>
    object &&
    download(`/api/v1/${segmentOf(object)}/import-template?format=${format}`, `${object.name}.${format}`).catch(toastError);
  return (
    <Stack>
      <Card withBorder>
        <Stack>
          <Select
            label={t('import.object')}
            data={choices}
            searchable
            allowDeselect={false}
            value={name}
            onChange={(chosen) => setName(chosen ?? name)}
            maw={360}
          />
          <Group gap="xs">
            <Text fz="sm">{t('import.template')}</Text>
            {(['csv', 'xlsx'] as const).map((format) => (
              <Button
                key={format}
                size="compact-sm"
                variant="light"
                leftSection={<IconDownload size={14} />}
                onClick={() => take(format)}
              >
                {format.toUpperCase()}
              </Button>
            ))}
          </Group>
          <Tabs defaultValue="file">
            <Tabs.List>
              <Tabs.Tab value="file">{t('import.file')}</Tabs.Tab>
              <Tabs.Tab value="paste">{t('import.paste')}</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="file" pt="md">
              <FileInput
                label={t('import.fileLabel')}
                description={t('import.fileHint')}
                placeholder={t('import.filePlaceholder')}
                accept=".csv,.tsv,.txt,.xlsx,text/csv"
                leftSection={<IconFile size={16} />}
                clearable
                clearButtonProps={{ 'aria-label': t('clear') }}
                value={file}
                onChange={setFile}
                maw={480}
              />
            </Tabs.Panel>
            <Tabs.Panel value="paste" pt="md">
              <Textarea
                label={t('import.pasteLabel')}
                description={t('import.pasteHint')}
                autosize
                minRows={5}
                maxRows={14}
                ff="monospace"
                value={pasted}
                onChange={(event) => {
                  setPasted(event.currentTarget.value);
                  setFile(null);
                }}
              />
            </Tabs.Panel>
          </Tabs>
          {upload.isError && <ErrorBox error={upload.error} />}
          <Group>
            <Button
              loading={upload.isPending}
              disabled={!file && !pasted.trim()}
              onClick={() => upload.mutate(file ?? new File([pasted], 'pasted.csv', { type: 'text/csv' }))}
            >
              {t('import.next')}
            </Button>
          </Group>
        </Stack>
      </Card>
      <Drafts onOpen={onPrepared} />
    </Stack>
  );
}

/** Imports that were begun and not started. */
function Drafts({ onOpen }: { onOpen: (id: string) => void }) {
  const { t, formats, label } = useWords();
  const objects = useObjects();
  const asked = useQuery(importsQuery);
  const drafts = (asked.data ?? []).filter((one) => one.state === 'draft');
  if (drafts.length === 0) {
    return null;
  }
  return (
    <Card withBorder component="section" aria-labelledby="import-drafts">
      <Text component="h2" id="import-drafts" fw={600} mb="xs">
        {t('import.drafts')}
      </Text>
      <Stack gap={6}>
        {drafts.map((draft) => (
          <Group key={draft.id} justify="space-between">
            <Text fz="sm">
              {draft.file_name} · {label(objects.byName(draft.object ?? undefined)?.plural_label)} ·{' '}
              {t('import.rows', { count: draft.rows, rows: formats.number(draft.rows) })}
            </Text>
            <Button size="compact-sm" variant="light" onClick={() => onOpen(draft.id)}>
              {t('import.goOn')}
            </Button>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}
