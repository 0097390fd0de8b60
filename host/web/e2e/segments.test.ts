import { expect, test } from 'vitest';
import { call, look, newPage, unique, useBrowser } from './harness';

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

test('customers are found by conditions, compared with all, kept as a view, and get a campaign', async () => {
  const page = await newPage('/app/segments');
  await page.getByRole('link', { name: 'Find customers' }).click();
  const segmentations = (await call('GET', '/segmentations')).data as {
    name: string;
    values: { value: string; label: { en: string } }[];
  }[];
  const kept = segmentations
    .find(({ name }) => name === 'retail_rfm__class')
    ?.values.find(({ label }) => label.en === 'Important: keep');
  const filter = { field: 'segment.retail_rfm__class', op: 'in', value: [kept?.value] };
  await page.getByRole('region', { name: 'What is special about them' }).getByRole('row').nth(2).waitFor();
  await look(page, 'builder-en');
  await page.goto(`${page.url()}?filter=${encodeURIComponent(JSON.stringify(filter))}`);
  const size = page.getByRole('region', { name: 'How many they are' });
  const found = await call('POST', '/accounts/search', { filter, count: 'exact', limit: 1 });
  expect(found.total).toBeGreaterThan(0);
  await size.getByText(new RegExp(`^${Number(found.total).toLocaleString('en')} of`)).waitFor();
  const shown = page.getByRole('region', { name: 'What is special about them' });
  await shown.getByRole('textbox').or(shown.getByRole('combobox')).first().click();
  await page.getByRole('option', { name: 'RFM class' }).first().click();
  await shown.getByRole('row').filter({ hasText: '100%' }).waitFor();
  await look(page, 'builder-chosen-en');
  const name = unique('Valued');
  await size.getByRole('button', { name: 'Keep as a view' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name, pressed: true }).waitFor();
  await page
    .getByText(`${Number(found.total).toLocaleString('en')} records`)
    .first()
    .waitFor();
  await page.goBack();
  await size.getByRole('button', { name: 'Campaign for them' }).click();
  await page.waitForURL(/\/objects\/campaigns\//);
  const campaign = await call('GET', `/campaigns/${page.url().split('/').at(-1)}`);
  expect(campaign.audience).toEqual(filter);
});
