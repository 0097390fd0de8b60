import { queryOptions } from '@tanstack/react-query';
import { type AnyRecord, answer, api } from '~/api/client';
import { cardOf, type TitledCard } from './cards';

/** A dashboard of somebody’s own, as the object `dashboard` keeps it. */
export interface OwnDashboard {
  readonly id: string;
  readonly version: number | undefined;
  readonly name: string;
  readonly cards: readonly TitledCard[];
  readonly shared: boolean;
  readonly owner: string | undefined;
}

const DASHBOARDS_MAX = 50;

export const ownDashboardsQuery = queryOptions({
  queryKey: ['records', 'dashboard', 'all'],
  queryFn: async ({ signal }) => {
    const body = { sort: 'name', limit: DASHBOARDS_MAX };
    const params = { path: { objects: 'dashboards' } };
    return (await answer(api.POST('/api/v1/{objects}/search', { params, body, signal }))).data.map(dashboardOf);
  },
});

function dashboardOf(record: AnyRecord): OwnDashboard {
  return {
    id: record.id,
    version: record.version,
    name: typeof record.name === 'string' ? record.name : record.id,
    cards: Array.isArray(record.cards) ? record.cards.flatMap(cardOf) : [],
    shared: record.shared === true,
    owner: typeof record.owner === 'string' ? record.owner : undefined,
  };
}
