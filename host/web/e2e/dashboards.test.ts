import { expect, test } from 'vitest';
import { call, look, newPage, unique, useBrowser } from './harness';

useBrowser();

test('each kind of work has its numbers, and each number its list', async () => {
  const page = await newPage('/app/dashboards/service');
  const open = page.getByRole('region', { name: 'Open cases', exact: true });
  await open.getByRole('link').waitFor();
  const found = await call('POST', '/cases/search', {
    filter: { field: 'status', op: 'nin', value: ['resolved', 'closed'] },
    count: 'exact',
    limit: 1,
  });
  await expect.poll(() => open.getByRole('link').textContent()).toBe(String(found.total));
  await page.getByRole('img').first().waitFor();
  await look(page, 'dashboard-service-en');
  await open.getByRole('link').click();
  await page.getByText(`${found.total} records`).first().waitFor();
});

test('customer value is drawn from segments and orders', async () => {
  const page = await newPage('/app/dashboards/value', { language: 'zh-CN' });
  await page.getByRole('region', { name: 'RFM 客户分类' }).getByRole('link', { name: '重要价值客户' }).waitFor();
  await page.getByRole('img', { name: '按月销售额' }).waitFor();
  await look(page, 'dashboard-value-zh');
  await page.getByRole('tab', { name: '销售', exact: true }).click();
  await page.getByRole('region', { name: '各阶段金额' }).waitFor();
  await look(page, 'dashboard-sales-zh');
});

test('a dashboard of one’s own is copied, arranged, given a card, and shared', async () => {
  const page = await newPage('/app/dashboards/sales');
  await page.getByRole('button', { name: 'New dashboard' }).click();
  await page.getByRole('menuitem', { name: 'A copy of “Sales”' }).click();
  await page.getByRole('tab', { name: 'Sales (copy)', selected: true }).waitFor();
  await page.getByRole('region', { name: 'Open pipeline', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Arrange' }).click();
  const name = unique('Ours');
  await page.getByRole('textbox', { name: 'Name of the dashboard' }).fill(name);
  await page.getByRole('switch', { name: 'Everybody may use it' }).click({ force: true });
  await page.getByRole('button', { name: 'Card', exact: true }).click();
  const form = page.getByRole('dialog', { name: 'Card' });
  const choose = async (field: string, option: string) => {
    await form
      .getByRole('textbox', { name: field })
      .or(form.getByRole('combobox', { name: field }))
      .first()
      .click();
    await page.getByRole('option', { name: option, exact: true }).first().click();
  };
  await choose('What it counts', 'Leads');
  await form.getByRole('textbox', { name: 'Title (English)' }).fill('Leads by country');
  await choose('Split by', 'Country');
  await look(page, 'dashboard-card-en');
  await form.getByRole('button', { name: 'Take over' }).click();
  await page.getByRole('region', { name: 'Leads by country' }).waitFor();
  await page.getByRole('button', { name: 'Move up: Leads by country' }).click();
  await look(page, 'dashboard-arrange-en');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('tab', { name, selected: true }).waitFor();
  const id = decodeURIComponent(page.url().split('/').at(-1) ?? '');
  const kept = await call('GET', `/dashboards/${id}`);
  expect([kept.name, kept.shared]).toEqual([name, true]);
  const cards = kept.cards as { title: { en: string; 'zh-CN': string }; by?: { field: string } }[];
  expect(cards.at(-2)).toMatchObject({
    title: { en: 'Leads by country', 'zh-CN': 'Leads by country' },
    by: { field: 'country' },
  });
  expect(cards[0]?.title['zh-CN']).not.toBe(cards[0]?.title.en);
  await page.getByRole('button', { name: 'Arrange' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Really delete it?' }).click();
  await page.getByRole('tab', { name: 'Sales', selected: true }).waitFor();
  await expect.poll(() => page.getByRole('tab', { name }).count()).toBe(0);
});
