import { expect, test } from 'vitest';
import { call, look, newPage, unique, useBrowser } from './harness';

useBrowser();

test('a table becomes records in five screens, mended on the way and taken back', async () => {
  const town = unique('Town');
  const page = await newPage('/app/objects/accounts');
  await page.getByRole('link', { name: 'Import', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Import' }).waitFor();
  await page.getByRole('tab', { name: 'Paste' }).click();
  await page
    .getByRole('textbox', { name: 'Rows' })
    .fill(`客户名称,城市,Mobile\n林梅,${town},13800138000\n,${town},13900139000\n张伟,${town},13700137000\n`);
  await look(page, 'import-choose-en');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('combobox', { name: 'Field for 客户名称' }).waitFor();
  await expect.poll(() => page.getByRole('combobox', { name: 'Field for 城市' }).inputValue()).toBe('City');
  await look(page, 'import-map-en');
  await page.getByRole('button', { name: 'Check all rows' }).click();
  const cell = page.getByRole('textbox', { name: '客户名称, line 3' });
  await cell.waitFor();
  await look(page, 'import-check-en');
  await cell.fill('王芳');
  await cell.blur();
  await page.getByRole('button', { name: 'Check again' }).click();
  await page.getByText('Every row is fine.').waitFor();
  await page.getByRole('button', { name: 'Next' }).click();
  await look(page, 'import-options-en');
  await page.getByRole('button', { name: 'Import 3 rows' }).click();
  await page.getByRole('button', { name: 'Undo the whole import' }).waitFor();
  await look(page, 'import-result-en');
  const there = async () => {
    const found = await call('POST', '/accounts/search', {
      filter: { field: 'city', value: town },
      fields: ['name'],
      sort: 'created_at',
    });
    return (found.data as { name: string }[]).map((account) => account.name).sort();
  };
  expect(await there()).toEqual(['张伟', '林梅', '王芳']);
  await page.reload();
  await page.getByRole('button', { name: 'Undo the whole import' }).click();
  await page.getByText('Taken back').first().waitFor();
  expect(await there()).toEqual([]);
});

test('an order of an unknown customer brings the customer along', async () => {
  const customer = unique('C');
  const page = await newPage('/app/import?object=order', { language: 'zh-CN' });
  await page.getByRole('tab', { name: '粘贴' }).click();
  await page
    .getByRole('textbox', { name: '数据行' })
    .fill(`buyer,ordered_on,amount\n${customer},2026-03-01,120.50\n${customer},2026-03-04,80\n`);
  await page.getByRole('button', { name: '下一步' }).click();
  await page.getByRole('combobox', { name: 'buyer 对应的字段' }).click();
  await page.getByRole('option', { name: '客户', exact: true }).click();
  await page.getByRole('checkbox', { name: '缺少时自动创建' }).check();
  await page.getByRole('button', { name: '校验全部行' }).click();
  await page.getByText('所有行均正确。').waitFor();
  await look(page, 'import-check-zh');
  await page.getByRole('button', { name: '下一步' }).click();
  await page.getByRole('button', { name: '导入 2 行' }).click();
  await page.getByText('已创建的关联记录').waitFor();
  const found = await call('POST', '/orders/search', {
    filter: { field: 'account.external_id', value: customer },
    fields: ['amount'],
  });
  expect((found.data as { amount: { amount: string } }[]).map((order) => order.amount.amount).sort()).toEqual([
    '120.50',
    '80.00',
  ]);
});

test('the records that a column names are found by what the column holds', async () => {
  const [first, second] = [unique('Ferry'), unique('Quay')];
  for (const name of [first, second]) {
    await call('POST', '/accounts', { name });
  }
  const page = await newPage('/app/import?object=order', { language: 'zh-CN' });
  await page.getByRole('tab', { name: '粘贴' }).click();
  await page
    .getByRole('textbox', { name: '数据行' })
    .fill(`Order no,Customer,Date,Amount\n${first},${first},2026-03-01,12.50\n${second},${second},2026-03-02,7\n`);
  await page.getByRole('button', { name: '下一步' }).click();
  const found = page
    .getByRole('combobox', { name: '客户：查找依据' })
    .or(page.getByRole('textbox', { name: '客户：查找依据' }))
    .first();
  await expect.poll(() => found.inputValue()).toBe('客户名称');
  await look(page, 'import-references-zh');
  await page.getByRole('button', { name: '校验全部行' }).click();
  await page.getByText('所有行均正确').first().waitFor();
});
