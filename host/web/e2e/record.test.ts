import { expect, test } from 'vitest';
import { call, create, look, newPage, unique, useBrowser } from './harness';

useBrowser();

/** The customer who bought most. */
async function best(): Promise<string> {
  const found = await call('GET', '/accounts?sort=-score.value_pyramid__value&fields=id&limit=1');
  return String((found.data as { id: string }[])[0]?.id);
}

test('a customer stands somewhere, and one sees why, in either language', async () => {
  const id = await best();
  const page = await newPage(`/app/objects/accounts/${id}`);
  const why = page.getByRole('button', { name: /^Why RFM class: Important: value/ });
  await why.waitFor();
  await page.getByText('1997').first().waitFor();
  await look(page, 'account-en');
  await why.click();
  await page.getByText('Plugin retail-rfm · as of Sep 30, 1997').waitFor();
  await expect.poll(() => page.getByRole('dialog').getByRole('listitem').count()).toBeGreaterThan(0);
  await look(page, 'why-en');
  const chinese = await newPage(`/app/objects/accounts/${id}`, { language: 'zh-CN' });
  await chinese
    .getByRole('button', { name: /铂金层/ })
    .first()
    .click();
  await chinese
    .getByText(/在 2357 位客户中排名第 1/)
    .first()
    .waitFor();
  await look(chinese, 'why-zh');
});

test('notes, calls and tasks are written down where they happen', async () => {
  const name = unique('Timeline');
  const id = await create('accounts', { name });
  const page = await newPage(`/app/objects/accounts/${id}`);
  await page.getByText('Nothing has happened yet.').waitFor();
  await page.getByRole('textbox', { name: 'What was said' }).fill('Likes to be called in the morning');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('listitem').getByText('Likes to be called in the morning').waitFor();
  await page.locator('label').filter({ hasText: 'Call' }).first().click();
  await page.getByRole('textbox', { name: 'Subject' }).fill('Asked about delivery');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('link', { name: 'Asked about delivery' }).first().waitFor();
  await page.locator('label').filter({ hasText: 'Task' }).first().click();
  await page.getByRole('textbox', { name: 'Subject' }).fill('Send the catalogue');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('link', { name: 'Send the catalogue' }).first().waitFor();
  await look(page, 'timeline-en');
  const tasks = await call('POST', '/tasks/search', { filter: { field: 'account', value: id } });
  expect((tasks.data as { subject: string; status: string }[]).map((task) => [task.subject, task.status])).toEqual([
    ['Send the catalogue', 'open'],
  ]);
});

test('a colleague is mentioned in a note, and told', async () => {
  const colleague = unique('小林');
  const user = await create('users', { username: `u${Date.now()}`, name: colleague, kind: 'person', active: true });
  const id = await create('accounts', { name: unique('Mentioned') });
  const page = await newPage(`/app/objects/accounts/${id}`);
  const note = page.getByRole('textbox', { name: 'What was said' });
  await note.pressSequentially(`Please ask @${colleague.slice(0, 4)}`);
  await page.getByRole('option', { name: colleague }).waitFor();
  await look(page, 'mention-en');
  await page.keyboard.press('Enter');
  await expect.poll(() => note.inputValue()).toBe(`Please ask @${colleague} `);
  await note.pressSequentially('about ferries');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page
    .getByRole('listitem')
    .getByRole('link', { name: `@${colleague}` })
    .waitFor();
  await look(page, 'mentioned-en');
  const told = async () =>
    ((await call('POST', '/notifications/search', { filter: { field: 'user', op: 'eq', value: user } })).data as unknown[])
      .length;
  await expect.poll(told, { timeout: 15_000 }).toBe(1);
});

test('fields are edited together, kept in history, and taken back', async () => {
  const name = unique('Edited');
  const id = await create('accounts', { name, city: 'Suzhou' });
  const page = await newPage(`/app/objects/accounts/${id}`);
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await page.keyboard.press('e');
  await page.getByRole('textbox', { name: 'City' }).fill('Wuxi');
  await page.getByRole('textbox', { name: 'Country' }).fill('China');
  await page.getByText('2 fields changed').waitFor();
  await look(page, 'editing-en');
  await page.keyboard.press('Control+s');
  await page.getByText('Saved').waitFor();
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByRole('cell', { name: 'Suzhou' }).first().waitFor();
  await look(page, 'history-en');
  await page.getByRole('button', { name: 'Undo' }).first().click();
  await page.getByRole('dialog', { name: 'Undo' }).getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Taken back').waitFor();
  expect((await call('GET', `/accounts/${id}`)).city).toBe('Suzhou');
});

test('two people change the same field: each field is decided, nothing is lost', async () => {
  const id = await create('accounts', { name: unique('Conflict'), city: 'Xi’an', country: 'China' });
  const page = await newPage(`/app/objects/accounts/${id}?tab=details`, { breaks: true });
  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  await page.getByRole('textbox', { name: 'City' }).fill('Mine');
  await page.getByRole('textbox', { name: 'Industry' }).fill('Tea');
  await call('PATCH', `/accounts/${id}`, { city: 'Theirs', website: 'https://example.org' });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Somebody else changed the same fields' });
  await dialog.waitFor();
  await look(page, 'conflict-en');
  await dialog.getByRole('radio', { name: 'There now: City' }).check();
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  const { city, industry, website } = await call('GET', `/accounts/${id}`);
  expect([city, industry, website]).toEqual(['Theirs', 'Tea', 'https://example.org']);
});

test('what belongs to a record is made from its page', async () => {
  const id = await create('accounts', { name: unique('Related') });
  const page = await newPage(`/app/objects/accounts/${id}`);
  const contacts = page.getByRole('region', { name: 'Contacts' });
  await contacts.getByRole('button', { name: 'New: Contact' }).click();
  const name = unique('Lin');
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click();
  await contacts.getByRole('link', { name }).waitFor();
});

test('files are added and come back as they were', async () => {
  const id = await create('accounts', { name: unique('Files') });
  const page = await newPage(`/app/objects/accounts/${id}?tab=files`);
  await page.getByText('No files yet.').waitFor();
  await page.locator('input[type=file]').setInputFiles({ name: '报价.txt', mimeType: 'text/plain', buffer: Buffer.from('12 %') });
  const file = page.getByRole('button', { name: '报价.txt' });
  await file.waitFor();
  await look(page, 'files-en');
  const [download] = await Promise.all([page.waitForEvent('download'), file.click()]);
  expect(download.suggestedFilename()).toBe('报价.txt');
});

test('the stages of a deal are a path', async () => {
  const id = await create('opportunities', {
    name: unique('Path'),
    stage: 'prospecting',
    account: await create('accounts', { name: unique('Buyer') }),
  });
  const page = await newPage(`/app/objects/opportunities/${id}`);
  await page.getByRole('navigation', { name: 'Stages' }).getByRole('button', { name: 'Qualification' }).click();
  await expect.poll(async () => (await call('GET', `/opportunities/${id}`)).stage).toBe('qualification');
  await page.getByRole('button', { name: /Qualification/, disabled: true }).waitFor();
});

test('moments are told by the clock of the organisation, wherever the browser is', async () => {
  const subject = unique('Nine in the morning');
  const event = await create('calendar-events', {
    subject,
    status: 'planned',
    starts_at: '2026-03-05T09:00:00Z',
    ends_at: '2026-03-05T10:00:00Z',
  });
  const page = await newPage(`/app/objects/calendar-events/${event}?tab=details`, { zone: 'America/New_York' });
  await page.getByText('Mar 5, 2026, 9:00 AM').first().waitFor();
  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  await page
    .getByRole('button', { name: /^Starts/ })
    .getByText('2026-03-05 09:00')
    .waitFor();
});
