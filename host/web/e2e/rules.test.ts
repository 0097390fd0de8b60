import { expect, test } from 'vitest';
import { call, create, look, newPage, unique, useBrowser } from './harness';

useBrowser();

test('a rule is written, tried on a record, switched on, seen at work, and undone', async () => {
  const city = unique('Rule town');
  const name = unique('Tried');
  const account = await create('accounts', { name, city });
  const page = await newPage('/app/rules', { breaks: true });
  await page.getByRole('link', { name: 'New rule' }).click();
  const title = unique('Industry of the town');
  await page.getByRole('textbox', { name: 'Name (English)' }).fill(title);
  const script = page.getByRole('textbox', { name: 'Script' });
  await script.click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(`if record.city == "${city}" {\n  record.industry = ;\n}`);
  await page.locator('.cm-lint-marker-error').waitFor();
  await page
    .getByRole('combobox', { name: /On this record/ })
    .or(page.getByRole('textbox', { name: /On this record/ }))
    .first()
    .fill(name);
  await page.getByRole('option', { name }).click();
  await look(page, 'rule-mistake-en');
  await script.click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(`if record.city == "${city}" {\n  record.industry = "Ferries";\n}`);
  await page.locator('.cm-lint-marker-error').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Try it on the record' }).click();
  await page.getByRole('status', { name: 'What it would do' }).getByText('Ferries').waitFor();
  await look(page, 'rule-tried-en');
  expect((await call('GET', `/accounts/${account}`)).industry).toBeNull();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  await page.getByRole('switch', { name: `Switched on: ${title}` }).click({ force: true });
  await page.getByText('On', { exact: true }).first().waitFor();
  const made = await create('accounts', { name: unique('Made'), city });
  expect((await call('GET', `/accounts/${made}`)).industry).toBe('Ferries');
  await page.goto(page.url().replace(/\/rules\/.*/, '/rules'));
  await page.getByRole('link', { name: title }).waitFor();
  await look(page, 'rules-en');
  await page.getByRole('switch', { name: `Switched on: ${title}` }).click({ force: true });
  await page.getByRole('switch', { name: `Switched on: ${title}`, checked: false }).waitFor();
});

test('rules stand in an order that one changes', async () => {
  const [first, second] = [unique('规则甲'), unique('规则乙')];
  for (const [name, position] of [
    [first, 10],
    [second, 20],
  ] as const) {
    await create('rules', {
      name,
      object: 'competitor',
      trigger: 'before_save',
      position,
      enabled: false,
      source: 'print(record.name);',
    });
  }
  const page = await newPage('/app/rules', { language: 'zh-CN' });
  await page.getByRole('link', { name: second }).waitFor();
  await look(page, 'rules-zh');
  await page.getByRole('button', { name: `提前执行：${second}` }).click();
  const order = async () => {
    const found = await call('POST', '/rules/search', {
      filter: { field: 'object', value: 'competitor' },
      sort: 'position',
      fields: ['name'],
    });
    return (found.data as { name: string }[]).map((rule) => rule.name);
  };
  await expect.poll(order).toEqual([second, first]);
  await page.getByRole('row').filter({ hasText: second }).getByTitle('拖动以调整顺序').hover();
  await page.mouse.down();
  const below = await page.getByRole('row').filter({ hasText: first }).boundingBox();
  await page.mouse.move((below?.x ?? 0) + 40, (below?.y ?? 0) + (below?.height ?? 0) / 2, { steps: 8 });
  await page.mouse.up();
  await expect.poll(order).toEqual([first, second]);
});
