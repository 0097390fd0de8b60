import { expect, test } from 'vitest';
import { look, newPage, token, url, useBrowser } from './harness';

useBrowser();

/** What a first visit may cost: 300 kB of packed script for the shell, of the issue. */
const SHELL_SCRIPT_BYTES_MAX = 300_000;

test('somebody who comes for the first time signs in, in either language', async () => {
  const page = await newPage('/', { signedIn: false, breaks: true });
  await page.waitForURL('**/app');
  await page.getByLabel('API token').fill('trellis_nonsense');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('The server does not know this token').waitFor();
  await look(page, 'sign-in-refused-en');
  await page.getByRole('button', { name: 'Language: English' }).click();
  await page.getByRole('menuitem', { name: '简体中文' }).click();
  await page.getByText('API 令牌').waitFor();
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
  await look(page, 'sign-in-zh');
  await page.getByRole('textbox', { name: 'API 令牌' }).fill(token());
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await page.getByRole('heading', { name: '您好，Administrator' }).waitFor();
  await page.getByRole('link', { name: /^客户/ }).first().waitFor();
  await page.getByText('重要价值客户').first().waitFor();
  await look(page, 'home-zh');
}, 120_000);

test('the refused sign-in says nothing else wrong', async () => {
  const page = await newPage('/app', { signedIn: false, breaks: true });
  await page.route('**/api/v1/me', (route) => route.abort());
  await page.getByLabel('API token').fill('trellis_x');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('The server cannot be reached').waitFor();
});

test('the shell costs less script than it may', async () => {
  const page = await newPage('/app', { signedIn: false });
  await page.getByLabel('API token').waitFor();
  const bytes = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter((entry) => entry.name.endsWith('.js'))
      .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).encodedBodySize, 0),
  );
  console.log(`the shell's script: ${bytes} bytes, packed`);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(SHELL_SCRIPT_BYTES_MAX);
});

test('the palette leads anywhere by keyboard, chinese by its sound', async () => {
  const page = await newPage('/app', { language: 'zh-CN' });
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: '搜索或前往…' }).pressSequentially('lxr');
  await page.getByRole('option', { name: '联系人', exact: true }).waitFor();
  await look(page, 'palette-zh');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: '联系人' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: '搜索或前往…' }).pressSequentially('Customer 1901');
  await page.getByRole('option', { name: /^Customer 1901/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Customer 1901' }).waitFor();
});

test('the palette has what plugins bring: their pages and their segments', async () => {
  const page = await newPage('/app');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const typed = page.getByRole('combobox', { name: 'Search or go to…' });
  await page.keyboard.press('Control+k');
  await typed.pressSequentially('#champ');
  await page.getByRole('option', { name: 'Champions RFM segment' }).waitFor();
  await expect.poll(() => page.getByRole('option').count()).toBe(1);
  await look(page, 'palette-segments-en');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/objects\/accounts\?filter=/);
  await page
    .getByText(/ records$/)
    .first()
    .waitFor();
  await page.keyboard.press('Control+k');
  await typed.pressSequentially('/retail-rfm');
  await page.getByRole('option').first().waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/plugins\/retail-rfm$/);
});

test('keys work while nobody types, and only then', async () => {
  const page = await newPage('/app');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await look(page, 'help-en');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('l');
  await page.getByRole('heading', { level: 1, name: 'Leads' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('c?g');
  await expect.poll(() => page.getByRole('searchbox', { name: 'Search in this list' }).inputValue()).toBe('c?g');
  await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
});

test('the layout holds on a telephone and on a wide screen, light and dark', async () => {
  for (const [width, dark] of [
    [390, true],
    [2560, false],
  ] as const) {
    const page = await newPage('/app', { width, dark });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByText('Important: value').first().waitFor();
    await look(page, `home-${width}`);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wider, `${width} px: nothing is wider than the screen`).toBeLessThanOrEqual(0);
    if (width === 390) {
      await page.getByRole('button', { name: 'Navigation' }).click();
      await page.getByRole('link', { name: 'Accounts', exact: true }).click();
    } else {
      await page.getByRole('navigation').getByRole('link', { name: 'Accounts', exact: true }).click();
    }
    await page.getByRole('heading', { level: 1, name: 'Accounts' }).waitFor();
    await page.getByRole('row').nth(3).waitFor();
    await look(page, `accounts-${width}`);
  }
});

test('what is no address says so and leads back', async () => {
  const page = await newPage('/app/objects/nonsense');
  await page.getByText('There is no “nonsense” here').waitFor();
  await look(page, 'not-there-en');
  await page.getByRole('link', { name: 'Go to the start' }).click();
  await page.waitForURL(`${url()}/app/`);
  await page.reload();
  await page.getByRole('heading', { level: 1 }).waitFor();
});

test('an empty server says where to begin', async () => {
  const page = await newPage('/app/jobs');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const nothing = { data: [], page: { next: null }, total: 0 };
  for (const path of ['accounts/search', 'orders/search', 'rules/search', 'segmentations']) {
    await page.route(`**/api/v1/${path}`, (route) => route.fulfill({ json: nothing }));
  }
  await page.getByRole('link', { name: 'Home' }).click();
  const first = page.getByRole('region', { name: 'Begin here' });
  await first.getByRole('link', { name: /Install a pack/ }).waitFor();
  await look(page, 'first-steps-en');
  await first.getByRole('link', { name: /Bring their orders/ }).click();
  await page.waitForURL(/import\?object=order/);
});

test('each kind of work has its lists at hand, and is remembered', async () => {
  const page = await newPage('/app');
  const navigation = page.getByRole('navigation');
  const chosen = () => navigation.getByLabel('Workspace').first();
  for (const [workspace, here, elsewhere] of [
    ['Marketing', 'Campaigns', 'Quotes'],
    ['Service', 'Cases', 'Campaigns'],
    ['Analytics', 'Segments and scores', 'Cases'],
    ['Administration', 'Objects and fields', 'Opportunities'],
    ['Sales', 'Opportunities', 'Objects and fields'],
  ] as const) {
    await chosen().click();
    await page.getByRole('option', { name: workspace, exact: true }).click();
    await navigation.getByRole('link', { name: here, exact: true }).waitFor();
    await expect
      .poll(() => navigation.getByRole('link', { name: elsewhere, exact: true }).count(), { message: workspace })
      .toBe(0);
  }
  await chosen().click();
  await page.getByRole('option', { name: 'Service', exact: true }).click();
  await page.reload();
  await navigation.getByRole('link', { name: 'Cases', exact: true }).waitFor();
  await expect.poll(() => chosen().inputValue()).toBe('Service');
});
