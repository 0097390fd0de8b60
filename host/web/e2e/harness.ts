// A browser, a page that is signed in, and what every test looks at: no error in the console, nothing that a screen reader cannot use.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';

const OUTPUT = process.env.TRELLIS_SCREENSHOTS ?? join(import.meta.dirname, 'output');
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What a test expects in the console, because it breaks something on purpose. */
const EXPECTED_WHEN_BROKEN = /Failed to load resource/;

let browser: Browser;
const open: { context: BrowserContext; errors: string[]; breaks: boolean }[] = [];

export const url = () => inject('url');
export const token = () => inject('token');

export function useBrowser() {
  beforeAll(async () => {
    mkdirSync(OUTPUT, { recursive: true });
    browser = await chromium.launch({ executablePath: program(), args: FLAGS });
  });
  afterEach(async () => {
    for (const { context, errors, breaks } of open.splice(0)) {
      await context.close();
      expect(errors.filter((error) => !(breaks && EXPECTED_WHEN_BROKEN.test(error)))).toEqual([]);
    }
  });
  afterAll(() => browser?.close());
}

interface Options {
  readonly language?: 'en' | 'zh-CN';
  readonly signedIn?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** Where the browser is. */
  readonly zone?: string;
  /** The test makes requests fail. */
  readonly breaks?: boolean;
}

/** A page of its own, with its own storage. */
export async function newPage(path: string, options: Options = {}): Promise<Page> {
  const { language = 'en', signedIn = true, width = 1280, height = 860, dark = false, zone = 'UTC', breaks = false } = options;
  const context = await browser.newContext({
    locale: language,
    timezoneId: zone,
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    acceptDownloads: true,
    reducedMotion: 'reduce',
  });
  const errors: string[] = [];
  open.push({ context, errors, breaks });
  if (signedIn) {
    // Only where nothing is yet: a test that signs out stays signed out.
    await context.addInitScript((token) => {
      if (sessionStorage.getItem('trellis.test') === null) {
        sessionStorage.setItem('trellis.test', '1');
        sessionStorage.setItem('trellis.token', token);
      }
    }, token());
  }
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && errors.push(`${message.text()} ${message.location().url}`));
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url() + path);
  return page;
}

/** Looks at the page as it is: nothing of WCAG 2.1 A and AA may be wrong. A picture is kept. */
export async function look(page: Page, name: string) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
  await page.screenshot({ path: join(OUTPUT, `${name}.png`) });
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'])
    .analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
  expect(found, name).toEqual([]);
}

/** Asks the API directly: what a test needs before it begins, and what it looks at after. */
export async function call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${url()}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${token()}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }
  return response.status === 204 ? {} : await response.json();
}

export async function create(objects: string, fields: Record<string, unknown>): Promise<string> {
  return String((await call('POST', `/${objects}`, fields)).id);
}

/** A name that no other test has. */
export function unique(name: string): string {
  return `${name} ${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
}

function program(): string {
  const named = process.env.TRELLIS_CHROMIUM;
  const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
  const found = named ?? usual;
  if (!found) {
    throw new Error('browser tests need Chromium: apt-get install chromium, or name it in TRELLIS_CHROMIUM');
  }
  execFileSync(found, ['--version'], { stdio: 'ignore' });
  return found;
}
