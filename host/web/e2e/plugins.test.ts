import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call, look, newPage, useBrowser } from './harness';

useBrowser();

const plugin = (name: string) => join(process.env.TRELLIS_TEST_PLUGINS ?? '', `${name}.wasm`);

test('a pack is installed, understood, tried, enabled, and its report is drawn', async () => {
  const page = await newPage('/app/plugins');
  await page.getByRole('link', { name: 'RFM segmentation' }).waitFor();
  await look(page, 'plugins-en');
  await page.locator('input[type=file]').setInputFiles(plugin('next-purchase'));
  await page.getByRole('tab', { name: 'What it is' }).click();
  await page.getByText('What it wants').waitFor();
  await page
    .getByText(/cases? passed|passed/)
    .first()
    .waitFor();
  await look(page, 'plugin-review-en');
  await page.getByRole('tab', { name: 'Settings' }).click();
  await page.getByRole('textbox', { name: 'As of' }).fill('1998-06-30');
  await look(page, 'plugin-settings-en');
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page
    .getByRole('status', { name: 'Dry run' })
    .getByText(/customers [\d,]+ would have other values/)
    .waitFor();
  await look(page, 'plugin-dry-run-en');
  expect((await call('GET', '/plugins/next-purchase')).state).toBe('installed');
  await page.getByRole('button', { name: 'Enable and run' }).click();
  await page.getByRole('button', { name: 'Disable' }).waitFor();
  expect((await call('GET', '/plugins/next-purchase')).state).toBe('enabled');
  await page.getByRole('button', { name: 'Disable' }).click();
  await page.getByRole('button', { name: 'Enable and run' }).waitFor();
}, 120_000);

test('what a plugin found is drawn, and is a table for who prefers one', async () => {
  const page = await newPage('/app/plugins/value-pyramid', { language: 'zh-CN' });
  await expect.poll(() => page.getByRole('img').count(), { timeout: 20_000 }).toBeGreaterThan(2);
  await look(page, 'report-zh');
  await page.getByRole('button', { name: '显示表格' }).first().click();
  await page.getByRole('cell', { name: '铂金层' }).first().waitFor();
  await page.getByRole('tab', { name: '健康状况' }).click();
  await page.getByRole('cell', { name: 'scoring.fit' }).waitFor();
  await look(page, 'health-zh');
});

test('a segment that a report names leads to its customers', async () => {
  const page = await newPage('/app/plugins/retail-rfm');
  const classes = page.getByRole('region', { name: 'Customers of each class' });
  await classes.getByRole('button', { name: 'Show the table' }).click();
  await classes.getByRole('link', { name: 'Important: keep' }).click();
  await page.getByText('141 records').first().waitFor();
  await look(page, 'segment-customers-en');
});

test('a click in a picture leads to the customers of the segment', async () => {
  const page = await newPage('/app/plugins/retail-rfm');
  const picture = page.getByRole('region', { name: 'Customers of each class' }).locator('canvas');
  await picture.waitFor();
  const box = await picture.boundingBox();
  // The bars stand side by side over the words at the bottom; somewhere one is tall enough.
  for (let x = 0.05; x < 1 && page.url().includes('/plugins/'); x += 0.03) {
    await picture.click({ position: { x: (box?.width ?? 0) * x, y: (box?.height ?? 0) * 0.78 } });
  }
  await page.waitForURL(/\/objects\/accounts\?filter=.*retail_rfm__class/);
  await page
    .getByText(/ records$/)
    .first()
    .waitFor();
});

/** Runs the pack of the sample with the settings that it has. */
async function ran() {
  const { id } = (await call('POST', '/plugins/retail-rfm/run', {})) as { id: string };
  await expect.poll(async () => (await call('GET', `/jobs/${id}`)).state, { timeout: 60_000 }).toBe('succeeded');
}

test('other settings are evaluated beside, promoted, and taken back again', async () => {
  const groups = async () => {
    const { settings } = await call('GET', '/plugins/retail-rfm');
    return (settings as { config: { groups: number } }).config.groups;
  };
  const before = await groups();
  const page = await newPage('/app/plugins/retail-rfm', { breaks: true });
  await page.getByRole('tab', { name: 'Versions' }).click();
  await page.getByText('in use').first().waitFor();
  await page.getByRole('button', { name: 'Try something beside' }).click();
  await page
    .getByRole('region', { name: 'Shadow' })
    .getByRole('textbox', { name: /groups/i })
    .first()
    .fill('4');
  await look(page, 'plugin-shadow-start-en');
  await page.getByRole('button', { name: 'Start the shadow' }).click();
  await page.getByText('What speaks against using it:').waitFor();
  expect(await groups()).toBe(before);
  await look(page, 'plugin-versions-en');
  await page.getByRole('button', { name: 'Promote all the same' }).click();
  await page.getByRole('button', { name: 'Try something beside' }).waitFor();
  expect(await groups()).toBe(4);
  await ran();
  const segments = await newPage('/app/segments', { language: 'zh-CN' });
  await segments.getByRole('region', { name: 'RFM 客户分类' }).getByRole('button', { name: '进入与离开' }).click();
  const moves = segments.getByRole('dialog', { name: /进入与离开/ });
  await moves.getByRole('list', { name: '转移的客户' }).getByRole('link').first().waitFor();
  await look(segments, 'transitions-zh');
  const first = moves.getByRole('row').nth(1).getByRole('button');
  await first.click();
  await moves.getByRole('button', { pressed: true }).waitFor();
  const told = Number(await first.innerText());
  await expect.poll(() => moves.getByRole('listitem').count()).toBe(Math.min(told, 100));
  await page.getByRole('button', { name: 'Go back to 1' }).click();
  await expect.poll(groups).toBe(before);
  await ran();
  await page.getByRole('tab', { name: 'Runs' }).click();
  await page.getByRole('button', { name: 'Make it again' }).last().click();
  await page.getByRole('status').filter({ hasText: 'comes out the same' }).waitFor({ timeout: 60_000 });
}, 120_000);

test('a plugin is asked a question, and answers with a report', async () => {
  const page = await newPage('/app/plugins', { language: 'zh-CN' });
  await page.locator('input[type=file]').setInputFiles(plugin('key-customers'));
  // It is compiled and judged by its golden cases first.
  await page.getByRole('tab', { name: '设置' }).click({ timeout: 90_000 });
  await page.getByRole('textbox', { name: '数据截止日' }).fill('1998-06-30');
  await page.getByRole('button', { name: '启用并运行' }).click();
  await page.getByRole('tab', { name: '问题' }).click({ timeout: 60_000 });
  await look(page, 'plugin-questions-zh');
  await page.getByRole('textbox', { name: '数据截止日' }).first().fill('1998-06-30');
  await page.getByRole('button', { name: '提问' }).first().click();
  await page.getByRole('dialog').waitFor({ timeout: 60_000 });
  await look(page, 'plugin-answer-zh');
  await page.keyboard.press('Escape');
}, 240_000);

test('a plugin that is removed while its panel is open leaves a message and a way on', async () => {
  const page = await newPage('/app/plugins', { breaks: true });
  await page.locator('input[type=file]').setInputFiles(plugin('relationship-types'));
  await page.getByRole('tab', { name: 'What it is' }).click({ timeout: 90_000 });
  await page.getByText('What it wants').waitFor();
  await call('DELETE', '/plugins/relationship-types');
  await page.getByRole('heading', { name: /There is no “relationship-types” here/ }).waitFor({ timeout: 15_000 });
  await look(page, 'plugin-removed-en');
  await page.getByRole('link', { name: 'Go to the start' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
}, 120_000);
