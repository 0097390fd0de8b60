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
