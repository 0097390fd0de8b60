import { expect, test } from 'vitest';
import { call, create, look, newPage, unique, useBrowser } from './harness';

useBrowser();

test('two records that may be the same are compared, merged field by field, and parted again', async () => {
  const name = unique('Hailan Electronics');
  const kept = await create('accounts', { name: `${name} Co., Ltd.`, city: 'Hangzhou' });
  const other = await create('accounts', { name, city: 'Ningbo', website: 'https://example.org' });
  const task = await create('tasks', { subject: unique('Of the other'), status: 'open', account: other });
  const page = await newPage('/app/duplicates');
  const row = page.getByRole('row').filter({ hasText: name });
  await row.getByRole('link', { name: 'Compare' }).click();
  await page.getByRole('heading', { level: 1, name: 'Merge records' }).waitFor();
  await page.getByRole('radio', { name: `Stays: ${name} Co., Ltd.` }).check();
  await page.getByRole('radio', { name: `City of ${name}`, exact: true }).check();
  await page.getByText('Tasks: 1').waitFor();
  await look(page, 'merge-en');
  await page.getByRole('button', { name: 'Merge 2 records' }).click();
  await page.getByRole('heading', { level: 1, name: `${name} Co., Ltd.` }).waitFor();
  const { city, website } = await call('GET', `/accounts/${kept}`);
  expect([city, website, (await call('GET', `/tasks/${task}`)).account]).toEqual(['Ningbo', 'https://example.org', kept]);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Taken back').waitFor();
  expect((await call('GET', `/accounts/${other}`)).city).toBe('Ningbo');
  expect((await call('GET', `/accounts/${kept}`)).city).toBe('Hangzhou');
});

test('a pair that is none is dismissed', async () => {
  const name = unique('Two shops');
  await create('accounts', { name: `${name} Ltd` });
  await create('accounts', { name });
  const page = await newPage('/app/duplicates', { language: 'zh-CN' });
  const row = page.getByRole('row').filter({ hasText: name });
  await row.waitFor();
  await look(page, 'duplicates-zh');
  await row.getByRole('button', { name: '不是重复' }).click();
  await row.waitFor({ state: 'detached' });
});
