import { expect, test } from 'vitest';
import { call, look, newPage, useBrowser } from './harness';

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
  expect(await open.getByRole('link').textContent()).toBe(String(found.total));
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
