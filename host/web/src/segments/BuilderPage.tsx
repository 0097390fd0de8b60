import { Button, Card, Group, Modal, Select, SimpleGrid, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useDebouncedValue, useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { answer, api, type ObjectDefinition, segmentOf } from '~/api/client';
import { fieldsOf, useObjects } from '~/api/objects';
import { countQuery, type Filter, meQuery, serverQuery } from '~/api/queries';
import { NotThere } from '~/components/NotThere';
import { FilterBuilder } from '~/filters/FilterBuilder';
import { conditionsOf, filterOf } from '~/filters/operators';
import { useWords } from '~/i18n/hooks';
import { canGroup } from '~/objects/GroupedList';
import { useDerivedFields } from '~/objects/views';
import { ErrorBox } from '~/ui/ErrorBox';
import { Page } from '~/ui/Page';
import { toast } from '~/ui/toasts';
import { Composition } from './Composition';

const TYPING_MS = 350;
const route = getRouteApi('/segments/build');

/** Customers by conditions: how many they are while the conditions are written, and how they differ from all. */
export function BuilderPage() {
  const { t } = useWords();
  const account = useObjects().byName('account');
  return (
    <Page title={t('builder.title')} what={t('builder.what')}>
      {account ? <Builder object={account} /> : <NotThere what="account" />}
    </Page>
  );
}

function Builder({ object }: { object: ObjectDefinition }) {
  const { t, label, formats } = useWords();
  const search = route.useSearch();
  const derived = useDerivedFields(object);
  const server = useQuery(serverQuery);
  const [conditions, setConditions] = useState(() => conditionsOf(search.filter));
  const [settled] = useDebouncedValue(conditions, TYPING_MS);
  const filter = filterOf(settled);
  const all = useQuery(countQuery(object, {}));
  const matched = useQuery(countQuery(object, { filter }));
  const dimensions = [...derived, ...fieldsOf(object)].filter((field) => field.options?.length && canGroup(field));
  const [chosen, setChosen] = useState<string | null>(null);
  const dimension = dimensions.find((field) => field.name === chosen) ?? dimensions[0];
  const total = all.data ?? 0;
  const count = matched.data;
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }}>
      <Card withBorder>
        <FilterBuilder
          object={object}
          value={conditions}
          onChange={setConditions}
          currency={server.data?.base_currency ?? 'USD'}
          more={derived}
        />
      </Card>
      <Stack>
        <Card withBorder component="section" aria-label={t('builder.size')}>
          {matched.isError ? (
            <ErrorBox error={matched.error} onRetry={() => void matched.refetch()} />
          ) : (
            <Text fz={28} fw={600} role="status" opacity={matched.isPlaceholderData ? 0.5 : 1}>
              {count === undefined ? '…' : formats.number(count)}
              <Text span fz="sm" c="dimmed">
                {' '}
                {t('builder.of', { total: formats.number(total), share: formats.percent(total ? (count ?? 0) / total : 0) })}
              </Text>
            </Text>
          )}
          <Actions object={object} filter={filter} />
        </Card>
        {dimension && (
          <Card withBorder component="section" aria-label={t('builder.composition')}>
            <Select
              label={t('builder.by')}
              description={t('builder.byWhat')}
              searchable
              allowDeselect={false}
              data={dimensions.map((field) => ({ value: field.name, label: label(field.label) }))}
              value={dimension.name}
              onChange={setChosen}
            />
            <Composition object={object} filter={filter} by={dimension} />
          </Card>
        )}
      </Stack>
    </SimpleGrid>
  );
}

/** What one does with them: look at them, keep the conditions, make a campaign for whoever meets them. */
function Actions({ object, filter }: { object: ObjectDefinition; filter: Filter | undefined }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const campaigns = useObjects().byName('campaign');
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
  const campaign = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/v1/{objects}', {
          params: { path: { objects: 'campaigns' } },
          body: { name: t('builder.campaignName'), status: 'planned', audience: filter ?? null },
        }),
      ),
    onSuccess: async (made) => {
      await forgetRecords('campaign');
      if (campaigns) {
        void navigate({ to: '/objects/$objects/$id', params: { objects: segmentOf(campaigns), id: made.id } });
      }
    },
  });
  return (
    <>
      <Group gap="xs" mt="xs">
        <Button
          variant="default"
          renderRoot={(props) => (
            <Link to="/objects/$objects" params={{ objects: segmentOf(object) }} search={filter ? { filter } : {}} {...props} />
          )}
        >
          {t('builder.list')}
        </Button>
        <Button disabled={!filter} onClick={dialog.open}>
          {t('builder.keep')}
        </Button>
        {campaigns && (
          <Button variant="default" disabled={!filter} loading={campaign.isPending} onClick={() => campaign.mutate()}>
            {t('builder.campaign')}
          </Button>
        )}
      </Group>
      {campaign.isError && <ErrorBox error={campaign.error} />}
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
