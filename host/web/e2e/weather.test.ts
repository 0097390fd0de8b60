import { expect, test } from 'vitest';
import { call, create, look, newPage, token, unique, useBrowser } from './harness';

useBrowser();

test('a server that is down is said, and found again', async () => {
  const page = await newPage('/app', { breaks: true });
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.route('**/api/v1/leads/**', (route) => route.abort());
  await page.getByRole('link', { name: 'Leads', exact: true }).first().click();
  await page.getByRole('alert').getByText('The server cannot be reached').first().waitFor();
  await look(page, 'down-en');
  await page.unroute('**/api/v1/leads/**');
  await page.getByRole('button', { name: 'Try again' }).first().click();
  await page.getByRole('row').nth(3).waitFor();
});

test('a fault of the server carries its id', async () => {
  const page = await newPage('/app', { breaks: true, language: 'zh-CN' });
  await page.getByRole('heading', { level: 1 }).waitFor();
  const body = {
    type: '/errors/internal_error',
    title: '内部错误',
    status: 500,
    code: 'INTERNAL_ERROR',
    correlation_id: 'trace-42',
  };
  await page.route('**/api/v1/leads/search', (route) =>
    route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify(body) }),
  );
  await page.getByRole('link', { name: '销售线索', exact: true }).first().click();
  await page.getByText('trace-42').first().waitFor();
  await look(page, 'fault-zh');
});

test('a session that ends asks for another and loses nothing', async () => {
  const own = await call('POST', '/tokens', { label: unique('short') });
  const id = await create('accounts', { name: unique('Session'), city: 'Dalian' });
  const page = await newPage('/app', { breaks: true });
  await page.evaluate((token) => sessionStorage.setItem('trellis.token', token), String(own.token));
  await page.goto(`${new URL(page.url()).origin}/app/objects/accounts/${id}?tab=details`);
  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  await page.getByRole('textbox', { name: 'City' }).fill('Harbin');
  await call('DELETE', `/tokens/${own.id}`);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  await dialog.waitFor();
  await look(page, 'expired-en');
  await dialog.getByRole('textbox', { name: 'API token' }).fill(token());
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => page.getByRole('textbox', { name: 'City' }).inputValue()).toBe('Harbin');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved').waitFor();
  expect((await call('GET', `/accounts/${id}`)).city).toBe('Harbin');
});

test('a record that was deleted says so and leads back', async () => {
  const id = await create('accounts', { name: unique('Gone') });
  await call('DELETE', `/accounts/${id}`);
  const page = await newPage(`/app/objects/accounts/${id}`, { breaks: true });
  await page.getByRole('alert').waitFor();
  await look(page, 'deleted-en');
  await page.getByRole('link', { name: 'To the list: Accounts' }).click();
  await page.getByRole('heading', { level: 1, name: 'Accounts' }).waitFor();
});

test('a field that went leaves the views that used it standing', async () => {
  const field = `weight_${Date.now().toString(36)}`;
  await call('POST', '/metadata/objects/account/fields', {
    name: field,
    type: 'number',
    label: { en: 'Weight', 'zh-CN': '重量' },
  });
  const name = unique('Heavy');
  const view = await create('views', {
    name,
    object: 'account',
    columns: ['name', field],
    filter: { field, op: 'gte', value: 3 },
  });
  await call('DELETE', `/metadata/objects/account/fields/${field}?confirm_destructive=true`);
  const page = await newPage(`/app/objects/accounts?view=${view}`, { breaks: true });
  await page.getByRole('button', { name: 'Show all' }).first().click();
  await page.getByRole('row').nth(3).waitFor();
  await call('DELETE', `/views/${view}`);
});

test('a server that is slow is waited for, and what is asked meanwhile is not lost', async () => {
  const page = await newPage('/app');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const late = 2_500;
  await page.route('**/api/v1/accounts/search', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, late));
    await route.continue();
  });
  await page.getByRole('navigation').getByRole('link', { name: 'Accounts', exact: true }).click();
  await page.getByLabel('Loading…').first().waitFor();
  await page.getByRole('searchbox', { name: 'Search in this list' }).fill('Customer 12');
  await look(page, 'slow-en');
  await page.getByRole('link', { name: 'Customer 12', exact: true }).waitFor();
  await expect.poll(() => page.getByRole('searchbox', { name: 'Search in this list' }).inputValue()).toBe('Customer 12');
});
