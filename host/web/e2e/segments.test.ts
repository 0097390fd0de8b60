import { expect, test } from 'vitest';
import { call, look, newPage, useBrowser } from './harness';

useBrowser();

test('segments lead to their members and to a campaign', async () => {
  const page = await newPage('/app');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'Segments and scores' }).click();
  const card = page.getByRole('region', { name: 'RFM class' });
  await card.getByRole('link', { name: 'Important: keep' }).waitFor();
  await look(page, 'segments-en');
  await card.getByRole('button', { name: 'Make a campaign for Important: keep' }).click();
  await page.getByRole('heading', { level: 1, name: 'For Important: keep' }).waitFor();
  const campaign = await call('GET', `/campaigns/${page.url().split('/').at(-1)}`);
  const audience = await call('POST', '/accounts/search', { filter: campaign.audience, count: 'exact', limit: 1 });
  expect(audience.total).toBe(141);
  await page.goBack();
  await card.getByRole('link', { name: 'Important: keep' }).click();
  await page.getByText('141 records').first().waitFor();
});

test('an administrator sees what the server does in the background', async () => {
  const page = await newPage('/app/jobs', { language: 'zh-CN' });
  await page.getByRole('rowheader', { name: 'plugin-run · retail-rfm' }).first().waitFor();
  await look(page, 'jobs-zh');
});
