import { Button, Menu, SimpleGrid, Tabs } from '@mantine/core';
import { IconChevronDown, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { forgetRecords } from '~/api/cache';
import { answer, api } from '~/api/client';
import { useObjects } from '~/api/objects';
import { meQuery } from '~/api/queries';
import { i18next } from '~/i18n';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { Page } from '~/ui/Page';
import { toastError } from '~/ui/toasts';
import { CardView } from './CardView';
import type { TitledCard } from './cards';
import { OwnDashboardView } from './OwnDashboardView';
import { ownDashboardsQuery } from './own';
import { CARDS, DASHBOARDS, type Dashboard } from './shipped';

const route = getRouteApi('/dashboards/$name');

/** The numbers of a kind of work, each leading to the list behind it: those that come along, and one's own. */
export function DashboardPage() {
  const { t } = useWords();
  const { name } = route.useParams();
  const navigate = route.useNavigate();
  const kept = useObjects().byName('dashboard') !== undefined;
  const own = useQuery({ ...ownDashboardsQuery, enabled: kept });
  const shipped = DASHBOARDS.find((one) => one === name);
  const mine = own.data?.find((one) => one.id === name);
  const shown = shipped ?? mine?.id ?? 'sales';
  const open = (next: string) => void navigate({ params: { name: next } });
  return (
    <Page title={t('dashboards.title')} actions={kept && <NewDashboard shipped={shipped} onMade={open} />}>
      {own.isError && <ErrorBox error={own.error} onRetry={() => void own.refetch()} />}
      <Tabs value={shown} onChange={(next) => next && open(next)} keepMounted={false}>
        <Tabs.List>
          {DASHBOARDS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`dashboards.names.${one}`)}
            </Tabs.Tab>
          ))}
          {own.data?.map((one) => (
            <Tabs.Tab key={one.id} value={one.id}>
              {one.name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {DASHBOARDS.map((one) => (
          <Tabs.Panel key={one} value={one} pt="md">
            <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
              {CARDS[one].map((card) => (
                <CardView key={card.name} title={t(`dashboards.cards.${card.name}`)} card={card} />
              ))}
            </SimpleGrid>
          </Tabs.Panel>
        ))}
        {own.data?.map((one) => (
          <Tabs.Panel key={one.id} value={one.id} pt="md">
            <OwnDashboardView dashboard={one} onGone={() => open('sales')} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}

/** An empty one, or a copy of what is shown. */
function NewDashboard({ shipped, onMade }: { shipped: Dashboard | undefined; onMade: (id: string) => void }) {
  const { t } = useWords();
  const me = useQuery(meQuery);
  const make = useMutation({
    mutationFn: ({ name, cards }: { name: string; cards: readonly TitledCard[] }) =>
      answer(
        api.POST('/api/v1/{objects}', {
          params: { path: { objects: 'dashboards' } },
          body: { name, cards, shared: false, ...(me.data && { owner: me.data.user }) },
        }),
      ),
    onSuccess: async ({ id }) => {
      await forgetRecords('dashboard');
      onMade(id);
    },
    onError: toastError,
  });
  const copy = (of: Dashboard) =>
    make.mutate({
      name: t('dashboards.copyOf', { dashboard: t(`dashboards.names.${of}`) }),
      cards: CARDS[of].map(({ name, ...card }) => ({ ...card, title: titleOf(name) })),
    });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button leftSection={<IconPlus size={16} />} rightSection={<IconChevronDown size={14} />} loading={make.isPending}>
          {t('dashboards.create')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => make.mutate({ name: t('dashboards.create'), cards: [] })}>{t('dashboards.empty')}</Menu.Item>
        {shipped && (
          <Menu.Item onClick={() => copy(shipped)}>
            {t('dashboards.copy', { dashboard: t(`dashboards.names.${shipped}`) })}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function titleOf(name: (typeof CARDS)[Dashboard][number]['name']) {
  const key = `dashboards.cards.${name}` as const;
  return { en: i18next.getFixedT('en')(key), 'zh-CN': i18next.getFixedT('zh-CN')(key) };
}
