import { Anchor, Button, Card, FileButton, Group, Stack, Text } from '@mantine/core';
import { IconPaperclip, IconUpload } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { forgetRecords } from '~/api/cache';
import { type AnyRecord, answer, api, download, type ObjectDefinition, segmentOf } from '~/api/client';
import { asText } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { toastError } from '~/ui/toasts';

/** The files of a record. */
export function Files({ object, id }: { object: ObjectDefinition; id: string }) {
  const { t, formats } = useWords();
  const path = { objects: segmentOf(object), id };
  const files = useQuery({
    queryKey: ['records', object.name, 'files', id],
    queryFn: async () => {
      const page = await answer(api.GET('/api/v1/{objects}/{id}/attachments', { params: { path } }));
      // The page of any list; the description of this one says only that it is JSON.
      return (page as { data?: AnyRecord[] }).data ?? [];
    },
  });
  const add = useMutation({
    mutationFn: (file: File) => {
      const form = new FormData();
      form.append('file', file, file.name);
      return answer(
        api.POST('/api/v1/{objects}/{id}/attachments', { params: { path }, body: { file: '' }, bodySerializer: () => form }),
      );
    },
    onSuccess: () => forgetRecords(object.name),
  });
  return (
    <Stack>
      <Group>
        <FileButton onChange={(file) => file && add.mutate(file)} inputProps={{ 'aria-label': t('files.add') }}>
          {(props) => (
            <Button {...props} leftSection={<IconUpload size={16} />} loading={add.isPending}>
              {t('files.add')}
            </Button>
          )}
        </FileButton>
      </Group>
      {add.isError && <ErrorBox error={add.error} />}
      {files.isError && <ErrorBox error={files.error} onRetry={() => void files.refetch()} />}
      {files.data?.length === 0 && <Empty title={t('files.nothing')} />}
      {files.data?.map((file) => (
        <Card key={file.id} withBorder padding="sm">
          <Group>
            <IconPaperclip size={18} aria-hidden />
            <Anchor
              component="button"
              type="button"
              fz="sm"
              onClick={() => download(`/api/v1/attachments/${file.id}/content`, asText(file.name)).catch(toastError)}
            >
              {asText(file.name)}
            </Anchor>
            <Text fz="xs" c="dimmed">
              {t('files.size', { kilobytes: formats.number(Math.ceil(Number(file.bytes) / 1024)) })}
            </Text>
          </Group>
        </Card>
      ))}
    </Stack>
  );
}
