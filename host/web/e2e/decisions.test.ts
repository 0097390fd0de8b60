import { expect, test } from 'vitest';
import { call, create, look, newPage, unique, useBrowser } from './harness';

useBrowser();

test('a decision is found, understood, and made again', async () => {
  const name = unique('Asked');
  const rule = await create('rules', {
    name: unique('Greets'),
    object: 'account',
    trigger: 'after_save',
    position: 10,
    enabled: true,
    source: `if is_new() && record.name == "${name}" { create_task(#{ subject: "Say hello", account: record.id }); because("new", "a new customer"); }`,
  });
  const account = await create('accounts', { name });
  await expect
    .poll(async () => ((await call('GET', `/decisions?rule=${rule}`)).data as unknown[]).length, { timeout: 20_000 })
    .toBe(1);
  const page = await newPage(`/app/decisions?rule=${rule}`);
  await page.getByText('a new customer').waitFor();
  await page.getByRole('link', { name }).waitFor();
  await look(page, 'decisions-en');
  const again = page.getByRole('button', { name: 'Make it again' });
  if ((await again.count()) > 0) {
    await again.click();
    await page.getByRole('status').filter({ hasText: 'comes out the same' }).waitFor();
  }
  await call('PATCH', `/rules/${rule}`, { enabled: false });
  await page.goto(page.url().replace(/\?.*/, `?record=${account}&object=account`));
  await page.getByText('a new customer').waitFor();
  const chinese = await newPage('/app/decisions?object=quote', { language: 'zh-CN' });
  await chinese.getByText('尚无决策。').waitFor();
  await look(chinese, 'decisions-zh');
});
