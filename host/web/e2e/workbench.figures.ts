// What a person feels: how soon the first screen answers, how soon a letter appears, whether a long list has holes while it scrolls.
// Judged by nobody; the browser's own clocks (Event Timing, Long Tasks, frames) say it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { inject, test } from 'vitest';
import { call, newPage, useBrowser } from './harness';

useBrowser();

const RECORDS = Number(process.env.TRELLIS_BENCH_RECORDS ?? 100_000);
const LOADS = 7;
const WHEEL_TURNS = 400;

const print = (line: string) => process.stdout.write(`${line}\n`);

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function spread(what: string, values: readonly number[]) {
  const [half, most, worst] = [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(0));
  print(`${what}: median ${half} ms, 99 % within ${most} ms, longest ${worst} ms, of ${values.length}`);
}

test('figures', async () => {
  await manyAccounts();
  await interactive();
  await typing();
  await scrolling();
});

/** Accounts beside those of the sample. */
async function manyAccounts() {
  const folder = mkdtempSync(join(tmpdir(), 'trellis-figures-'));
  const rows = Array.from({ length: RECORDS }, (_, row) => `Figure ${row},Town ${row % 997},Country ${row % 89}`);
  const table = join(folder, 'accounts.csv');
  const map = join(folder, 'accounts.toml');
  writeFileSync(table, ['name,city,country', ...rows].join('\n'));
  const columns = ['name', 'city', 'country'].map((name) => `[[columns]]\ncolumn = "${name}"\nfield = "${name}"\n`);
  writeFileSync(map, `object = "account"\n\n${columns.join('\n')}`);
  execFileSync(String(process.env.TRELLIS_TEST_BINARY), ['import', 'account', table, '--map', map, '--data', inject('data')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  rmSync(folder, { recursive: true });
  const counted = await call('POST', '/accounts/search', { count: 'exact', limit: 1, fields: ['id'] });
  print(`accounts: ${counted.total}`);
}

/** From the first byte asked for to a screen that shows something and answers a click, with an empty cache. */
async function interactive() {
  const shown: number[] = [];
  const blocked: number[] = [];
  for (let load = 0; load < LOADS; load += 1) {
    const page = await newPage('/app/');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page
      .getByRole('button', { name: /Search or go/ })
      .first()
      .click();
    await page.getByRole('combobox', { name: /Search or go/ }).waitFor();
    const { painted, tasks } = await page.evaluate(async () => {
      const entries = (type: string) =>
        new Promise<PerformanceEntryList>((resolve) => {
          const observer = new PerformanceObserver((list) => resolve(list.getEntries()));
          observer.observe({ type, buffered: true });
          setTimeout(() => resolve([]), 300);
        });
      const paints = await entries('largest-contentful-paint');
      const long = await entries('longtask');
      return { painted: paints.at(-1)?.startTime ?? 0, tasks: long.map((task) => task.duration) };
    });
    shown.push(painted);
    blocked.push(tasks.reduce((sum, one) => sum + Math.max(0, one - 50), 0));
    await page.context().close();
  }
  spread('first screen is painted (empty cache)', shown);
  spread('time beyond 50 ms in which it could not answer while it loaded', blocked);
}

/** How long the browser takes from a key to the next picture. */
async function typing() {
  const page = await newPage('/app/objects/accounts');
  await page.getByRole('row').nth(5).waitFor();
  await measureKeys(page, 'search field over the long list', async () => {
    await page.getByRole('searchbox').first().pressSequentially('Figure 12345 and some more words', { delay: 60 });
  });
  const accounts = (await call('POST', '/accounts/search', { limit: 1 })).data as { id: string }[];
  await page.goto(new URL(`/app/objects/accounts/${accounts[0]?.id}`, page.url()).href);
  await measureKeys(page, 'note on a record', async () => {
    const text = page.getByRole('textbox', { name: /What was said/ });
    await text.pressSequentially('Asked about ferries to Bergen, will call back', { delay: 60 });
  });
  await page.goto(new URL('/app/rules/new', page.url()).href);
  await measureKeys(page, 'rule editor', async () => {
    await page.getByRole('textbox', { name: 'Script' }).click();
    await page.keyboard.type('if record.city == "Bergen" { record.industry = "Ferries"; }', { delay: 60 });
  });
}

async function measureKeys(page: Page, what: string, type: () => Promise<void>) {
  await page.evaluate(() => {
    const taken: number[] = [];
    Object.assign(globalThis, { taken });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.name === 'keydown' || entry.name === 'keypress' || entry.name === 'input') {
          taken.push(entry.duration);
        }
      }
    }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
  });
  await type();
  await page.waitForTimeout(500);
  const taken = await page.evaluate(() => (globalThis as unknown as { taken: number[] }).taken);
  print(`typing, ${what}: ${taken.length} events took 16 ms or more`);
  if (taken.length > 0) {
    spread(`typing, ${what}, those`, taken);
  }
}

/** Turns the wheel through the list as fast as the browser takes it, and looks at each frame for a hole. */
async function scrolling() {
  const page = await newPage('/app/objects/accounts?sort=name');
  await page.getByRole('row').nth(5).waitFor();
  const list = page.getByRole('region', { name: /List of/ });
  const box = await list.boundingBox();
  await page.mouse.move((box?.x ?? 0) + 300, (box?.y ?? 0) + 300);
  await page.evaluate(() => {
    const frames: { gap: number; blank: boolean }[] = [];
    const scroller = document.querySelector('[role="region"][aria-label^="List of"]');
    let before = performance.now();
    const look = (now: number) => {
      const { top = 0, left = 0, height = 0 } = scroller?.getBoundingClientRect() ?? {};
      const places = [0.25, 0.5, 0.75].map((share) => document.elementFromPoint(left + 300, top + height * share));
      frames.push({ gap: now - before, blank: places.some((place) => !place?.closest('[role="row"]')?.textContent) });
      before = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    Object.assign(globalThis, { frames, scroller });
  });
  for (let turn = 0; turn < WHEEL_TURNS; turn += 1) {
    await page.mouse.wheel(0, 900);
  }
  await page.waitForTimeout(500);
  const { frames, passed } = await page.evaluate(() => {
    const kept = globalThis as unknown as { frames: { gap: number; blank: boolean }[]; scroller: Element };
    return { frames: kept.frames, passed: kept.scroller.scrollTop };
  });
  print(
    `scrolling: ${Math.round(passed)} pixels, ${frames.length} frames, ${frames.filter((frame) => frame.blank).length} with a hole`,
  );
  spread(
    'scrolling, between frames',
    frames.slice(2).map((frame) => frame.gap),
  );
}
