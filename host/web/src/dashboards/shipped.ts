// The dashboards that come along.
import type { Filter } from '~/api/queries';
import type { Card } from './cards';

export const DASHBOARDS = ['sales', 'marketing', 'service', 'value'] as const;
export type Dashboard = (typeof DASHBOARDS)[number];

/** A card whose title is in the dictionaries. */
export interface ShippedCard extends Card {
  readonly name: CardName;
}

export type CardName =
  | 'openPipeline'
  | 'weightedPipeline'
  | 'wonThisQuarter'
  | 'closingSoon'
  | 'funnel'
  | 'lostBecause'
  | 'wonByMonth'
  | 'newLeads'
  | 'leadsBySource'
  | 'leadsByStatus'
  | 'campaignsByStatus'
  | 'campaignBudget'
  | 'leadsByWeek'
  | 'openCases'
  | 'overdueCases'
  | 'casesByStatus'
  | 'casesBySeverity'
  | 'casesByCategory'
  | 'casesByWeek'
  | 'customers'
  | 'orders'
  | 'revenue'
  | 'revenueByMonth'
  | 'customersByClass'
  | 'customersByMatrix';

const OPEN_DEALS: Filter = { field: 'stage', op: 'nin', value: ['won', 'lost'] };
const OPEN_CASES: Filter = { field: 'status', op: 'nin', value: ['resolved', 'closed'] };

export const CARDS: Readonly<Record<Dashboard, readonly ShippedCard[]>> = {
  sales: [
    { name: 'openPipeline', object: 'opportunity', filter: OPEN_DEALS, function: 'sum', field: 'amount' },
    { name: 'weightedPipeline', object: 'opportunity', filter: OPEN_DEALS, function: 'sum', field: 'weighted_amount' },
    {
      name: 'wonThisQuarter',
      object: 'opportunity',
      filter: {
        and: [
          { field: 'stage', op: 'eq', value: 'won' },
          { field: 'closed_on', op: 'eq', value: 'this_quarter' },
        ],
      },
      function: 'sum',
      field: 'amount',
    },
    {
      name: 'closingSoon',
      object: 'opportunity',
      filter: { and: [OPEN_DEALS, { field: 'close_on', op: 'eq', value: 'next_n_days:30' }] },
    },
    { name: 'funnel', object: 'opportunity', function: 'sum', field: 'amount', by: { field: 'stage' } },
    {
      name: 'lostBecause',
      object: 'opportunity',
      filter: { field: 'stage', op: 'eq', value: 'lost' },
      by: { field: 'loss_category' },
    },
    {
      name: 'wonByMonth',
      object: 'opportunity',
      filter: { field: 'stage', op: 'eq', value: 'won' },
      function: 'sum',
      field: 'amount',
      by: { field: 'closed_on', bucket: 'month' },
    },
  ],
  marketing: [
    { name: 'newLeads', object: 'lead', filter: { field: 'created_at', op: 'eq', value: 'last_n_days:30' } },
    {
      name: 'campaignBudget',
      object: 'campaign',
      filter: { field: 'status', op: 'in', value: ['planned', 'active', 'paused'] },
      function: 'sum',
      field: 'budget',
    },
    { name: 'leadsByStatus', object: 'lead', by: { field: 'status' } },
    { name: 'leadsBySource', object: 'lead', by: { field: 'source' } },
    { name: 'campaignsByStatus', object: 'campaign', by: { field: 'status' } },
    { name: 'leadsByWeek', object: 'lead', by: { field: 'created_at', bucket: 'week' } },
  ],
  service: [
    { name: 'openCases', object: 'case', filter: OPEN_CASES },
    { name: 'overdueCases', object: 'case', filter: { and: [OPEN_CASES, { field: 'due_at', op: 'lt', value: 'today' }] } },
    { name: 'casesByStatus', object: 'case', by: { field: 'status' } },
    { name: 'casesBySeverity', object: 'case', filter: OPEN_CASES, by: { field: 'severity' } },
    { name: 'casesByCategory', object: 'case', by: { field: 'category' } },
    { name: 'casesByWeek', object: 'case', by: { field: 'created_at', bucket: 'week' } },
  ],
  value: [
    { name: 'customers', object: 'account' },
    { name: 'orders', object: 'order' },
    {
      name: 'revenue',
      object: 'order',
      filter: { field: 'status', op: 'nin', value: ['draft', 'cancelled', 'returned'] },
      function: 'sum',
      field: 'amount',
    },
    { name: 'customersByClass', object: 'account', by: { field: 'segment.retail_rfm__class' } },
    { name: 'customersByMatrix', object: 'account', by: { field: 'segment.retail_rfm__value_matrix' } },
    { name: 'revenueByMonth', object: 'order', function: 'sum', field: 'amount', by: { field: 'ordered_on', bucket: 'month' } },
  ],
};
