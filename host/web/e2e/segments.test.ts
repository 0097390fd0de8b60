import { expect, test } from 'vitest';
import { call, create, look, newPage, unique, url, useBrowser } from './harness';

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

test('customers are found by what refers to them', async () => {
  const page = await newPage('/app/segments/build');
  await page.getByRole('button', { name: 'Related records' }).click();
  const line = page.getByRole('group', { name: 'Orders' });
  await line.getByRole('textbox', { name: 'Value' }).first().fill('5');
  await line.getByRole('button', { name: 'Condition' }).click();
  await line
    .getByRole('combobox', { name: 'Field' })
    .or(line.getByRole('textbox', { name: 'Field' }))
    .first()
    .click();
  await page.getByRole('option', { name: 'Amount', exact: true }).click();
  await line
    .getByRole('combobox', { name: 'Comparison' })
    .or(line.getByRole('textbox', { name: 'Comparison' }))
    .last()
    .click();
  await page.getByRole('option', { name: 'at least', exact: true }).last().click();
  await line.getByRole('textbox', { name: 'Value' }).last().fill('20');
  const where = { field: 'amount', op: 'gte', value: 20 };
  const filter = { related: 'orders', where, count: { gte: 5 } };
  const found = await call('POST', '/accounts/search', { filter, count: 'exact', limit: 1 });
  expect(found.total).toBeGreaterThan(0);
  const size = page.getByRole('region', { name: 'How many they are' });
  await size.getByText(new RegExp(`^${Number(found.total).toLocaleString('en')} of`)).waitFor();
  await look(page, 'builder-related-en');
});

test('conditions are kept as a segment, which follows the data, says why, changes, and goes', async () => {
  const industry = unique('Pottery');
  const member = await create('accounts', { name: unique('Clay'), industry });
  const page = await newPage('/app/segments');
  const filter = { field: 'industry', op: 'eq', value: industry };
  await page.goto(`${page.url()}/build?filter=${encodeURIComponent(JSON.stringify(filter))}`);
  const size = page.getByRole('region', { name: 'How many they are' });
  await size.getByText(/^1 of/).waitFor();
  const name = unique('Potteries');
  await size.getByRole('button', { name: 'Keep as a segment' }).click();
  await page.getByRole('textbox', { name: 'Name (English)' }).fill(name);
  await look(page, 'segment-keep-en');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const card = page.getByRole('region', { name, exact: true });
  await card.getByText('follows the data').waitFor();
  const second = await create('accounts', { name: unique('Kiln'), industry });
  // It shows by itself.
  await card.getByRole('row').getByText('2', { exact: true }).waitFor();
  await look(page, 'segments-own-en');

  await page.goto(`${url()}/app/objects/accounts/${member}`);
  await page.getByRole('button', { name: `Why ${name}: Member?` }).click();
  await page.getByText(`Industry is ${industry}`).waitFor();
  await look(page, 'segment-own-why-en');

  const chinese = await newPage('/app/segments', { language: 'zh-CN' });
  const own = chinese.getByRole('region', { name, exact: true });
  await own.getByRole('link', { name: `“${name}”的条件` }).click();
  await chinese.getByRole('heading', { level: 1, name: `“${name}”的条件` }).waitFor();
  await chinese.getByText(/^2 \//).waitFor();
  await look(chinese, 'segment-conditions-zh');
  await chinese.getByRole('button', { name: '保存细分' }).click();
  await chinese.getByRole('textbox', { name: '说明 (中文)' }).fill('做陶器的客户');
  await chinese.getByRole('button', { name: '保存', exact: true }).click();
  await own.getByText('做陶器的客户').waitFor();
  await call('DELETE', `/accounts/${second}`);
  await own.getByRole('button', { name: `移除“${name}”` }).click();
  await own.getByRole('button', { name: `确定移除？ 移除“${name}”` }).click();
  await own.waitFor({ state: 'detached' });
});
