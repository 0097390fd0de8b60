import { expect, test } from 'vitest';
import { call, create, look, newPage, unique, useBrowser } from './harness';

useBrowser();

interface Definition {
  readonly fields: readonly { readonly name: string; readonly options?: readonly { readonly value: string }[] }[];
  readonly layouts: readonly { readonly columns: readonly string[] }[];
  readonly pipelines: readonly { readonly stages: readonly { readonly value: string; readonly days_max?: number }[] }[];
}

const definition = async (name: string) => (await call('GET', `/metadata/objects/${name}`)) as unknown as Definition;

test('an object of one’s own gets fields, a page and stages, and records are kept in it at once', async () => {
  const label = unique('Machine');
  const page = await newPage('/app/admin/objects');
  await page.getByRole('cell', { name: 'Opportunities' }).waitFor();
  await look(page, 'admin-objects-en');
  await page.getByRole('button', { name: 'New object' }).click();
  await page.getByRole('textbox', { name: 'Label (English)', exact: true }).fill(label);
  await page.getByRole('textbox', { name: 'Label (Chinese)', exact: true }).fill('机器');
  const name = await page.getByRole('textbox', { name: 'API name' }).inputValue();
  expect(name).toBe(label.toLowerCase().replaceAll(' ', '_'));
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: `${label}s` }).waitFor();

  await page.getByRole('button', { name: 'New field' }).click();
  await page.getByRole('textbox', { name: 'Label (English)' }).fill('State of repair');
  await page
    .getByRole('textbox', { name: 'Type' })
    .or(page.getByRole('combobox', { name: 'Type' }))
    .first()
    .click();
  await page.getByRole('option', { name: 'Choice', exact: true }).click();
  for (const [place, option] of ['New', 'Worn'].entries()) {
    await page.getByRole('button', { name: 'Option', exact: true }).click();
    await page.getByRole('textbox', { name: `Option ${place + 1}, English` }).fill(option);
  }
  await look(page, 'admin-field-en');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('button', { name: 'State of repair' }).waitFor();
  const made = (await definition(name)).fields.find((field) => field.name === 'state_of_repair');
  expect(made?.options?.map(({ value }) => value)).toEqual(['new', 'worn']);

  await page.getByRole('tab', { name: 'Page layout' }).click();
  const columns = page.getByRole('group', { name: 'Columns of the list' });
  await columns.getByRole('textbox').or(columns.getByRole('combobox')).first().click();
  await page.getByRole('option', { name: 'State of repair' }).click();
  await columns.getByRole('button', { name: 'Move up: State of repair' }).click();
  await look(page, 'admin-layout-en');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect.poll(async () => (await definition(name)).layouts[0]?.columns).toEqual(['state_of_repair', 'name']);

  await page.getByRole('tab', { name: 'Stages' }).click();
  await page.getByRole('button', { name: 'Make it a pipeline' }).click();
  await page.getByRole('region', { name: 'Worn' }).getByRole('textbox', { name: 'Days at most' }).fill('30');
  await look(page, 'admin-stages-en');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect.poll(async () => (await definition(name)).pipelines[0]?.stages[1]?.days_max).toBe(30);

  await page.getByRole('link', { name: 'To the list' }).click();
  await page.getByRole('button', { name: `New: ${label}` }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name', exact: true }).fill('Press 7');
  await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Press 7' }).waitFor();
}, 120_000);

test('what a change of the schema does is seen before, and refused where it cannot be', async () => {
  const field = `f_${Date.now().toString(36)}`;
  await call('POST', '/metadata/objects/competitor/fields', {
    name: field,
    type: 'text',
    label: { en: `Slogan ${field}`, 'zh-CN': `口号 ${field}` },
  });
  const page = await newPage('/app/admin/objects/competitor', { language: 'zh-CN' });
  await page.getByRole('button', { name: `口号 ${field}` }).click();
  await look(page, 'admin-field-zh');
  await page.getByRole('button', { name: '停用', exact: true }).click();
  const review = page.getByRole('dialog', { name: '将产生的变化' });
  await review.getByText('会移除内容').waitFor();
  await look(page, 'admin-plan-zh');
  await review.getByRole('button', { name: '取消' }).click();
  const there = async () =>
    ((await definition('competitor')).fields as { name: string; retired?: boolean }[]).find((one) => one.name === field);
  expect((await there())?.retired).not.toBe(true);
  await page.getByRole('button', { name: '停用', exact: true }).click();
  await review.getByRole('button', { name: '应用' }).click();
  await expect.poll(async () => (await there())?.retired).toBe(true);

  await page.getByRole('tab', { name: '定义' }).click();
  const text = page.getByRole('textbox', { name: '定义' });
  const before = JSON.parse(await text.inputValue());
  before.fields.find((one: { name: string }) => one.name === 'name').type = 'number';
  await text.fill(JSON.stringify(before));
  await page.getByRole('button', { name: '查看将产生的变化' }).click();
  await page.getByText('无法这样更改').waitFor();
  await expect.poll(() => review.getByRole('button', { name: '应用' }).isDisabled()).toBe(true);
  await look(page, 'admin-refused-zh');
});

test('the definitions are carried over as a file, and every version says what it did', async () => {
  const page = await newPage('/app/admin/schema');
  await page
    .getByText(/Version \d+/)
    .first()
    .waitFor();
  await look(page, 'admin-schema-en');
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the definitions' }).click();
  expect((await downloading).suggestedFilename()).toBe('trellis-schema.json');
  const document = {
    format: 1,
    objects: [((await call('GET', '/metadata/schema')).objects as { name: string }[]).find(({ name }) => name === 'competitor')],
  };
  const file = (content: object) => ({
    name: 'schema.json',
    mimeType: 'application/json',
    buffer: Buffer.from(JSON.stringify(content)),
  });
  await page.locator('input[type=file]').setInputFiles(file(document));
  await page.getByText('Nothing would change.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  const field = `g_${Date.now().toString(36)}`;
  const changed = structuredClone(document) as unknown as { format: number; objects: { fields: object[] }[] };
  changed.objects[0]?.fields.push({ name: field, type: 'number', label: { en: 'Carried', 'zh-CN': '带来' } });
  await page.locator('input[type=file]').setInputFiles(file(changed));
  await page.getByRole('dialog').getByText(field).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click();
  await page
    .getByRole('region', { name: /Version/ })
    .first()
    .getByText(field)
    .waitFor();
});

test('what happens is seen in the feed while it happens, with who did it and what it changed', async () => {
  const page = await newPage('/app/admin/changes');
  await page.getByRole('heading', { level: 1, name: 'Change feed' }).waitFor();
  const name = unique('Seen');
  const id = await create('accounts', { name });
  await page.getByRole('link', { name }).waitFor();
  await call('PATCH', `/accounts/${id}`, { city: 'Bergen' });
  await page.getByRole('cell', { name: 'Bergen' }).waitFor();
  await page.getByRole('link', { name: 'Administrator' }).first().waitFor();
  await look(page, 'admin-changes-en');
});

test('the state of the server is shown, and tokens are made and ended', async () => {
  const page = await newPage('/app/admin/system');
  await page.getByText('The server is ready').waitFor();
  await page.getByText(/wasmtime/).waitFor();
  await look(page, 'admin-system-en');
  const label = unique('Till');
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByRole('textbox', { name: 'Label' }).fill(label);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const secret = (await page.getByRole('dialog').locator('pre').innerText()).trim();
  await look(page, 'admin-token-en');
  await page.getByRole('button', { name: 'Close' }).last().click();
  const mayRead = async () =>
    (await fetch(new URL('/api/v1/me', page.url()), { headers: { Authorization: `Bearer ${secret}` } })).status;
  expect(await mayRead()).toBe(200);
  await page.getByRole('button', { name: `End the token ${label}` }).click();
  expect(await mayRead()).toBe(200);
  await page.getByRole('button', { name: /Really end it/ }).click();
  await expect.poll(mayRead).toBe(401);
});

test('what others change shows by itself', async () => {
  const name = unique('Watched');
  const id = await create('accounts', { name, city: 'Oslo' });
  const page = await newPage(`/app/objects/accounts/${id}?tab=details`);
  await page.getByText('Oslo').first().waitFor();
  await page.waitForResponse((response) => response.url().includes('/api/v1/changes?after='));
  await call('PATCH', `/accounts/${id}`, { city: 'Tromsø' });
  await page.getByText('Tromsø').first().waitFor({ timeout: 15_000 });
});
