import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { call, create, look, newPage, unique, useBrowser } from './harness';

useBrowser();

test('a list is filtered, given columns, sorted, and kept as a view', async () => {
  const page = await newPage('/app/objects/leads');
  await page.getByRole('row').nth(3).waitFor();
  await look(page, 'leads-en');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByRole('button', { name: 'Condition', exact: true }).click();
  await page.getByRole('combobox', { name: 'Field' }).click();
  await page.getByRole('option', { name: 'Status', exact: true }).click();
  await page.getByLabel('Value').first().click();
  await page.getByRole('option').first().click();
  await page.keyboard.press('Tab');
  await page.getByRole('option').first().waitFor({ state: 'detached' });
  await look(page, 'filter-en');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.waitForURL(/filter=/);
  await page.getByRole('button', { name: 'Columns' }).click();
  const columns = page.getByRole('group', { name: 'Columns' });
  await columns.getByRole('textbox').or(columns.getByRole('combobox')).first().click();
  await page.getByRole('option', { name: 'City' }).click();
  const places = async () => (await page.getByRole('columnheader').allInnerTexts()).map((text) => text.trim()).indexOf('City');
  await expect.poll(places).toBeGreaterThan(2);
  const before = await places();
  await columns.getByRole('button', { name: 'Move up: City' }).click();
  await look(page, 'columns-en');
  await page.keyboard.press('Escape');
  await expect.poll(places).toBe(before - 1);
  await page.getByRole('columnheader', { name: 'City' }).waitFor();
  await page.getByRole('columnheader', { name: 'Name' }).getByRole('button').first().click();
  await page.waitForURL(/sort=/);
  const name = unique('Mine');
  await page.getByRole('button', { name: 'Unsaved changes' }).click();
  await page.getByRole('menuitem', { name: 'Save as a new view' }).click();
  await page.getByLabel('Name of the view').fill(name);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name, pressed: true }).waitFor();
  await page.reload();
  await page.getByRole('button', { name, pressed: true }).waitFor();
  await page.getByRole('columnheader', { name: 'City' }).waitFor();
  await page.getByRole('button', { name: 'View', exact: true }).click();
  await page.getByRole('menuitem', { name: `Delete “${name}”` }).click();
  await page.getByRole('button', { name: 'All', pressed: true }).waitFor();
  await expect.poll(() => page.getByRole('button', { name }).count()).toBe(0);
});

test('rows come as they are scrolled to, and keys lead through them', async () => {
  const page = await newPage('/app/objects/accounts?sort=name', { language: 'zh-CN' });
  await page
    .getByText(/条记录/)
    .first()
    .waitFor();
  await page.getByRole('row').nth(3).waitFor();
  await look(page, 'accounts-zh');
  const list = page.getByRole('region', { name: /列表/ });
  const furthest = () =>
    page.evaluate(() =>
      Math.max(...[...document.querySelectorAll('[aria-rowindex]')].map((row) => Number(row.getAttribute('aria-rowindex')))),
    );
  await expect
    .poll(
      async () => {
        await list.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
        return furthest();
      },
      { timeout: 60_000 },
    )
    .toBeGreaterThan(2_000);
  await page.goto(page.url());
  const first = page.locator('[data-row="0"]');
  await first.waitFor();
  await first.focus();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.getByText('已选 1 条').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /Customer/ }).waitFor();
});

test('many are changed at once, and it is taken back', async () => {
  const city = unique('Town');
  const name = unique('Bulk');
  for (const number of [1, 2, 3]) {
    await create('accounts', { name: `${name} ${number}`, city });
  }
  const filter = encodeURIComponent(JSON.stringify({ field: 'city', op: 'eq', value: city }));
  const page = await newPage(`/app/objects/accounts?filter=${filter}`);
  await page.getByText('3 records').first().waitFor();
  await page.getByRole('checkbox', { name: 'Select all that are loaded' }).check();
  await page.getByText('3 selected').waitFor();
  await look(page, 'bulk-en');
  await page.getByRole('button', { name: 'Change a field' }).click();
  await page.getByRole('combobox', { name: 'Field' }).click();
  await page.getByRole('option', { name: 'Industry', exact: true }).click();
  await page.getByRole('textbox', { name: 'Industry' }).fill('Ferries');
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await page.getByText('3 records changed').waitFor();
  const ferries = async () => {
    const found = await call('POST', '/accounts/search', {
      filter: {
        and: [
          { field: 'city', value: city },
          { field: 'industry', value: 'Ferries' },
        ],
      },
    });
    return (found.data as unknown[]).length;
  };
  expect(await ferries()).toBe(3);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Taken back').waitFor();
  expect(await ferries()).toBe(0);
});

test('what is seen is exported, and nothing else', async () => {
  const name = unique('Export');
  await create('accounts', { name, city: 'Hangzhou', phone: '+8657112345678' });
  const filter = encodeURIComponent(JSON.stringify({ field: 'name', op: 'eq', value: name }));
  const columns = encodeURIComponent(JSON.stringify(['name', 'city']));
  const page = await newPage(`/app/objects/accounts?filter=${filter}&columns=${columns}`);
  await page.getByRole('link', { name }).waitFor();
  await page.getByRole('button', { name: 'Export' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'CSV' }).first().click(),
  ]);
  const text = readFileSync(await download.path(), 'utf8');
  expect(
    text
      .replace(/^\uFEFF/, '')
      .trim()
      .split(/\r?\n/),
  ).toEqual(['Name,City', `${name},Hangzhou`]);
});

test('a cell is edited where it stands', async () => {
  const name = unique('Cell');
  const id = await create('accounts', { name, city: 'Ningbo' });
  const filter = encodeURIComponent(JSON.stringify({ field: 'name', op: 'eq', value: name }));
  const columns = encodeURIComponent(JSON.stringify(['name', 'city', 'country']));
  const page = await newPage(`/app/objects/accounts?filter=${filter}&columns=${columns}`);
  await page.getByRole('gridcell', { name: 'Ningbo' }).dblclick();
  await page.getByRole('textbox', { name: 'City' }).fill('Shaoxing');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('gridcell', { name: 'Shaoxing' }).waitFor();
  expect((await call('GET', `/accounts/${id}`)).city).toBe('Shaoxing');
});

test('a record is made, with what is missing said at the field', async () => {
  const page = await newPage('/app/objects/opportunities', { language: 'zh-CN', breaks: true });
  await page.getByRole('heading', { level: 1, name: '商机' }).waitFor();
  await page.keyboard.press('c');
  await page.getByRole('dialog', { name: '新建商机' }).waitFor();
  await page.getByRole('textbox', { name: '金额' }).fill('1200');
  await page.getByRole('button', { name: '创建', exact: true }).click();
  await expect.poll(() => page.getByRole('textbox', { name: '商机名称' }).getAttribute('aria-invalid')).toBe('true');
  await look(page, 'create-invalid-zh');
  const name = unique('大单');
  await page.getByRole('textbox', { name: '商机名称' }).fill(name);
  await page.getByRole('combobox', { name: '阶段' }).click();
  await page.getByRole('option', { name: '初步接洽' }).click();
  await page.getByRole('button', { name: '创建', exact: true }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await look(page, 'opportunity-zh');
});

test('a card is moved by keyboard, and a gate says what is missing', async () => {
  const name = unique('Gate');
  const account = await create('accounts', { name: unique('Buyer') });
  const id = await create('opportunities', { name, stage: 'prospecting', account, amount: { amount: '5000', currency: 'USD' } });
  const filter = encodeURIComponent(JSON.stringify({ field: 'name', op: 'eq', value: name }));
  const page = await newPage(`/app/objects/opportunities?mode=kanban&filter=${filter}`, { breaks: true });
  await page.getByRole('link', { name }).waitFor();
  await page.getByRole('region', { name: 'Prospecting' }).getByText('$5,000.00').first().waitFor();
  await look(page, 'board-en');
  const handle = page.getByRole('button', { name: `Move ${name}` });
  const box = await handle.boundingBox();
  const target = await page.getByRole('region', { name: 'Proposal' }).boundingBox();
  if (!box || !target) {
    throw new Error('the board is not drawn');
  }
  await page.mouse.move(box.x + 4, box.y + 4);
  await page.mouse.down();
  await page.mouse.move(box.x + 40, box.y + 10, { steps: 4 });
  await page.mouse.move(target.x + 60, target.y + 60, { steps: 12 });
  await page.mouse.up();
  const dialog = page.getByRole('dialog', { name: 'Not yet: something is missing' });
  await dialog.waitFor();
  await look(page, 'gate-en');
  await dialog.getByRole('checkbox', { name: 'Confirm the need' }).check();
  await dialog.getByRole('checkbox', { name: 'Confirm the budget' }).check();
  await dialog.getByRole('textbox', { name: 'Expected close' }).fill('2027-03-31');
  await page.keyboard.press('Tab');
  await dialog.getByRole('button', { name: 'Save and move to “Proposal”' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('region', { name: 'Proposal' }).getByRole('link', { name }).waitFor();
  expect((await call('GET', `/opportunities/${id}`)).stage).toBe('proposal');
});

test('tasks lie in a calendar', async () => {
  const subject = unique('Call back');
  await create('tasks', { subject, status: 'open', due_on: '2027-02-10' });
  const page = await newPage('/app/objects/tasks?mode=calendar&day=2027-02-01', { language: 'zh-CN' });
  await page.getByRole('link', { name: subject }).waitFor();
  await page.getByRole('heading', { name: '2027年2月' }).waitFor();
  await look(page, 'calendar-zh');
  await page.getByRole('button', { name: '向后' }).click();
  await page.getByRole('heading', { name: '2027年3月' }).waitFor();
  await expect.poll(() => page.getByRole('link', { name: subject }).count()).toBe(0);
  await page.keyboard.press('4');
  await page.getByText('这段时间没有内容。').waitFor();
  await page.goto(page.url().replace(/day=[^&]*/, 'day=2027-02-08'));
  const region = page.getByRole('region', { name: '2027年2月10日星期三' });
  await region.getByRole('link', { name: subject }).waitFor();
  await look(page, 'agenda-zh');
  await page.keyboard.press('2');
  await page
    .getByRole('table', { name: /2027\/2\/8/ })
    .getByRole('link', { name: subject })
    .waitFor();
  await look(page, 'week-zh');
  await page.getByRole('link', { name: '任务', exact: true }).first().waitFor();
});

test('a list is grouped, with sums, and a group opens to its rows', async () => {
  const name = unique('Grouped');
  for (const [stage, amount] of [
    ['prospecting', '100'],
    ['prospecting', '250.50'],
    ['lost', '40'],
  ] as const) {
    await create('opportunities', { name: `${name} ${amount}`, stage, amount: { amount, currency: 'USD' } });
  }
  const filter = encodeURIComponent(JSON.stringify({ field: 'name', op: 'starts', value: name }));
  const page = await newPage(`/app/objects/opportunities?filter=${filter}`);
  await page.getByRole('link', { name: `${name} 40` }).waitFor();
  await page.getByRole('combobox', { name: 'Group by' }).click();
  await page.getByRole('option', { name: 'Stage', exact: true }).click();
  const group = page.getByRole('button', { name: /^Prospecting/ });
  await group.getByText('$350.50').waitFor();
  await group.click();
  await page.getByRole('link', { name: `${name} 250.50` }).waitFor();
  await look(page, 'grouped-en');
});

test('a record is looked at beside its list, and the next one is a key away', async () => {
  const city = unique('Beside');
  for (const name of ['First', 'Second', 'Third']) {
    await create('accounts', { name, city });
  }
  const filter = encodeURIComponent(JSON.stringify({ field: 'city', op: 'eq', value: city }));
  const page = await newPage(`/app/objects/accounts?filter=${filter}&sort=name`);
  await page.getByRole('link', { name: 'Third' }).waitFor();
  await page.locator('[data-row="1"]').focus();
  await page.keyboard.press('o');
  const panel = page.getByRole('dialog', { name: 'Account' });
  await panel.getByRole('link', { name: 'Second' }).waitFor();
  await look(page, 'peek-en');
  await panel.getByRole('button', { name: 'Edit' }).click();
  await panel.getByRole('textbox', { name: 'Industry' }).or(panel.getByLabel('Industry')).first().fill('Ferries');
  await panel.getByRole('button', { name: 'Save', exact: true }).click();
  await panel.getByText('Ferries').first().waitFor();
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'First' }).click();
  await page.getByRole('heading', { level: 1, name: 'First' }).waitFor();
  await page.keyboard.press(']');
  await page.getByRole('heading', { level: 1, name: 'Second' }).waitFor();
  await page.getByRole('button', { name: 'Next record of the list' }).click();
  await page.getByRole('heading', { level: 1, name: 'Third' }).waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Next record of the list' }).isDisabled()).toBe(true);
  await page.keyboard.press('[');
  await page.getByRole('heading', { level: 1, name: 'Second' }).waitFor();
});
