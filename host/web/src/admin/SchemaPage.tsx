import { Button, Card, FileButton, Group, Loader, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { download } from '~/api/client';
import { Actor } from '~/components/Actor';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { Page } from '~/ui/Page';
import { toast, toastError } from '~/ui/toasts';
import { PlanReview, Steps } from './PlanReview';
import { applyDocument, useSchemaChange, versionsQuery } from './schema';

/** How the schema became what it is, and the way to carry it from one server to another. */
export function SchemaPage() {
  const { t, formats } = useWords();
  const asked = useInfiniteQuery(versionsQuery);
  const schema = useSchemaChange(() => toast(t('admin.saved')), true);
  const read = async (file: File | null) => {
    try {
      const document = file && JSON.parse(await file.text());
      if (document) {
        schema.change({ send: applyDocument(document) });
      }
    } catch {
      toastError(new Error(t('admin.notDefinitions', { file: file?.name ?? '' })));
    }
  };
  const versions = asked.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Page
      title={t('admin.versions')}
      what={t('admin.versionsWhat')}
      actions={
        <>
          <Button
            variant="default"
            onClick={() => void download('/api/v1/metadata/schema', 'trellis-schema.json').catch(toastError)}
          >
            {t('admin.download')}
          </Button>
          <FileButton onChange={(file) => void read(file)} accept="application/json,.json">
            {(props) => (
              <Button {...props} loading={schema.busy}>
                {t('admin.applyFile')}
              </Button>
            )}
          </FileButton>
        </>
      }
    >
      {schema.error !== null && <ErrorBox error={schema.error} />}
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.isPending && <Loader aria-label={t('loading')} />}
      {versions.map((version) => (
        <Card key={version.version} withBorder component="section" aria-label={t('admin.version', { version: version.version })}>
          <Group justify="space-between">
            <Text fw={600}>{t('admin.version', { version: version.version })}</Text>
            <Text fz="sm" c="dimmed">
              <Actor actor={version.actor} /> · {formats.time(version.timestamp)}
            </Text>
          </Group>
          <Steps steps={version.steps} />
        </Card>
      ))}
      {asked.hasNextPage && (
        <Button variant="default" loading={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          {t('timeline.earlier')}
        </Button>
      )}
      <PlanReview schema={schema} />
    </Page>
  );
}
