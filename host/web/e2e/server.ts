// Starts the built server on a free port with the sample data, once for all tests.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    url: string;
    token: string;
    /** The server's data folder. */
    data: string;
  }
}

const root = resolve(import.meta.dirname, '../../..');
const READY_MS_MAX = 60_000;

function needed(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run the browser tests by \`cargo xtask test\`, or set it`);
  }
  return value;
}

export default async function setup(project: TestProject) {
  const binary = needed('TRELLIS_TEST_BINARY');
  const plugins = needed('TRELLIS_TEST_PLUGINS');
  const data = mkdtempSync(join(tmpdir(), 'trellis-browser-'));
  const server = spawn(binary, ['serve', '--data', data, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const trellis = (...words: string[]) =>
    execFileSync(binary, [...words, '--data', data], { stdio: ['ignore', 'ignore', 'inherit'] });
  const example = (path: string) => join(root, 'examples', path);
  try {
    await ready(server, () => trellis('status'));
    for (const [object, table, map] of [
      ['order', 'cdnow/cdnow_sample_transactions.csv', 'cdnow/orders.toml'],
      ['lead', 'service/leads.csv', 'service/leads.toml'],
      ['case', 'service/cases.csv', 'service/cases.toml'],
    ] as const) {
      trellis('import', object, example(table), '--map', example(map));
    }
    trellis('plugin', 'install', join(plugins, 'retail-rfm.wasm'), '--enable', '--as-of', '1997-09-30');
    trellis('plugin', 'install', join(plugins, 'value-pyramid.wasm'), '--enable');
    trellis('plugin', 'run', 'retail-rfm');
    trellis('plugin', 'run', 'value-pyramid');
  } catch (error) {
    server.kill();
    throw error;
  }
  project.provide('url', readFileSync(join(data, 'server-url'), 'utf8').trim());
  project.provide('data', data);
  project.provide('token', readFileSync(join(data, 'admin-token'), 'utf8').trim());
  return async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill();
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
}

async function ready(server: ChildProcess, ask: () => void) {
  for (const started = Date.now(); Date.now() - started < READY_MS_MAX; ) {
    if (server.exitCode !== null) {
      throw new Error(`the server ended with ${server.exitCode}`);
    }
    try {
      ask();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  throw new Error('the server did not become ready');
}
