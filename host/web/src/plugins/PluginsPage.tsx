import { Anchor, Badge, Button, Card, FileButton, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { answer, api } from '~/api/client';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { forgetPlugin, type Plugin, pluginsQuery } from './plugins';

const COLOURS = { enabled: 'trellis', installed: 'gray', disabled: 'gray', broken: 'red' } as const;

/** The plugins that are here, by industry, and the way in for others. */
export function PluginsPage() {
  const { t } = useWords();
  const navigate = useNavigate();
  const asked = useQuery(pluginsQuery);
  const upload = useMutation({
    mutationFn: (file: File) =>
      answer(
        api.POST('/api/v1/plugins', {
          body: '' as never,
          bodySerializer: () => file,
          headers: { 'Content-Type': 'application/wasm' },
        }),
      ),
    onSuccess: async (plugin) => {
      await forgetPlugin();
      void navigate({ to: '/plugins/$id', params: { id: plugin.id } });
    },
  });
  useEffect(() => {
    document.title = `${t('plugins.title')} · Trellis`;
  }, [t]);
  const byIndustry = Map.groupBy(asked.data ?? [], (plugin) => plugin.industry ?? '');
  return (
    <Stack p="md">
      <Group justify="space-between">
        <Title order={1} fz="h3">
          {t('plugins.title')}
        </Title>
        <FileButton
          accept=".wasm,application/wasm"
          onChange={(file) => file && upload.mutate(file)}
          inputProps={{ 'aria-label': t('plugins.upload') }}
        >
          {(props) => (
            <Button {...props} leftSection={<IconUpload size={16} />} loading={upload.isPending}>
              {t('plugins.upload')}
            </Button>
          )}
        </FileButton>
      </Group>
      <Text fz="sm" c="dimmed">
        {t('plugins.what')}
      </Text>
      {upload.isError && <ErrorBox error={upload.error} />}
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.data?.length === 0 && <Empty title={t('plugins.nothing')} />}
      {[...byIndustry].map(([industry, plugins]) => (
        <section key={industry} aria-label={industry || t('plugins.anyIndustry')}>
          <Text component="h2" fw={600} mb="xs">
            {industry || t('plugins.anyIndustry')}
          </Text>
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
            {plugins.map((plugin) => (
              <PluginCard key={plugin.id} plugin={plugin} />
            ))}
          </SimpleGrid>
        </section>
      ))}
    </Stack>
  );
}

function PluginCard({ plugin }: { plugin: Plugin }) {
  const { t, label } = useWords();
  const ill = plugin.health && plugin.health.state !== 'healthy';
  return (
    <Card withBorder>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Anchor fw={600} renderRoot={(props) => <Link to="/plugins/$id" params={{ id: plugin.id }} {...props} />}>
          {label(plugin.name) || plugin.id}
        </Anchor>
        <Badge color={COLOURS[plugin.state]} variant="light" tt="none" style={{ flexShrink: 0 }}>
          {t(`plugins.state.${plugin.state}`)}
        </Badge>
      </Group>
      <Text fz="xs" c="dimmed">
        {plugin.id} {plugin.version}
      </Text>
      {ill && plugin.health && (
        <Badge color="red" tt="none" mt={4}>
          {t(`plugins.health.${plugin.health.state}`)}
        </Badge>
      )}
      <Text fz="sm" mt="xs" lineClamp={4}>
        {label(plugin.description)}
      </Text>
    </Card>
  );
}
