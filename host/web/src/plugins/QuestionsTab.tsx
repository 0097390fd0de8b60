import { Anchor, Button, Card, Group, List, Loader, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '~/api/cache';
import { answer, api, type Schemas } from '~/api/client';
import { finished } from '~/api/jobs';
import { useWords } from '~/i18n/hooks';
import { ReportView } from '~/reports/ReportView';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { analysesQuery } from './plugins';
import { SettingsForm } from './SettingsForm';

type Analysis = Schemas['Analysis'];

const SHOWN = 10;

/** What one can ask a plugin, and what it answered. */
export function QuestionsTab({ id }: { id: string }) {
  const { t } = useWords();
  const asked = useQuery(analysesQuery(id));
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  if (!asked.data) {
    return <Loader aria-label={t('loading')} />;
  }
  return (
    <Stack>
      {asked.data.length === 0 && <Empty title={t('questions.nothing')} />}
      {asked.data.map((analysis) => (
        <Question key={analysis.name} id={id} analysis={analysis} />
      ))}
    </Stack>
  );
}

function Question({ id, analysis }: { id: string; analysis: Analysis }) {
  const { t, label, formats } = useWords();
  const [parameters, setParameters] = useState<Readonly<Record<string, unknown>>>({});
  const [asOf, setAsOf] = useState('');
  const [shown, setShown] = useState<string>();
  const path = { id, analysis: analysis.name };
  const key = ['plugins', id, 'answers', analysis.name];
  const answers = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) =>
      (
        await answer(
          api.GET('/api/v1/plugins/{id}/analyses/{analysis}/results', { params: { path, query: { limit: SHOWN } }, signal }),
        )
      ).data,
  });
  const ask = useMutation({
    mutationFn: async () =>
      finished(
        await answer(
          api.POST('/api/v1/plugins/{id}/analyses/{analysis}', {
            params: { path },
            body: { parameters: { ...parameters }, ...(asOf && { as_of: asOf }) },
          }),
        ),
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: key });
      const newest = queryClient.getQueryData<Schemas['AnalysisResult'][]>(key)?.[0];
      setShown(newest?.id);
    },
  });
  return (
    <Card withBorder component="section" aria-label={label(analysis.label)}>
      <Text component="h2" fw={600}>
        {label(analysis.label)}
      </Text>
      <Text fz="sm" c="dimmed">
        {label(analysis.description)}
      </Text>
      <Stack mt="xs" maw={640}>
        <SettingsForm schema={analysis.parameters} value={parameters} onChange={setParameters} errors={{}} />
        <TextInput
          label={t('plugins.asOf')}
          description={t('plugins.asOfHint')}
          placeholder="2026-01-31"
          value={asOf}
          maw={240}
          onChange={(event) => setAsOf(event.currentTarget.value.trim())}
        />
        {ask.isError && <ErrorBox error={ask.error} />}
        <Group>
          <Button loading={ask.isPending} onClick={() => ask.mutate()}>
            {t('questions.ask')}
          </Button>
        </Group>
      </Stack>
      {(answers.data?.length ?? 0) > 0 && (
        <>
          <Text fz="sm" fw={600} mt="sm">
            {t('questions.answers')}
          </Text>
          <List size="sm">
            {answers.data?.map((one) => (
              <List.Item key={one.id}>
                <Anchor inherit component="button" type="button" ta="start" onClick={() => setShown(one.id)}>
                  {label(one.summary) || formats.time(one.answered_at)}
                </Anchor>{' '}
                <Text span fz="xs" c="dimmed">
                  {formats.time(one.answered_at)}
                </Text>
              </List.Item>
            ))}
          </List>
        </>
      )}
      <Modal
        opened={shown !== undefined}
        onClose={() => setShown(undefined)}
        size="80rem"
        title={label(analysis.label)}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        {shown && <Answer id={id} analysis={analysis.name} result={shown} />}
      </Modal>
    </Card>
  );
}

function Answer({ id, analysis, result }: { id: string; analysis: string; result: string }) {
  const { t } = useWords();
  const asked = useQuery({
    queryKey: ['plugins', id, 'answers', analysis, result],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/v1/plugins/{id}/analyses/{analysis}/results/{result}', {
          params: { path: { id, analysis, result } },
          signal,
        }),
      ),
  });
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  return asked.data ? <ReportView report={asked.data.report} plugin={id} /> : <Loader aria-label={t('loading')} />;
}
