import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Files under this size are not worth packing: the headers cost as much. */
const PACKED_FROM_BYTES = 1024;

/** Puts a `.gz` beside each file, so that the server never packs anything itself. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    closeBundle() {
      const folder = resolve(import.meta.dirname, 'dist/assets');
      for (const name of readdirSync(folder)) {
        const bytes = readFileSync(join(folder, name));
        if (/\.(js|css|svg)$/.test(name) && bytes.length >= PACKED_FROM_BYTES) {
          writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
        }
      }
    },
  };
}

/** Where `npm run dev` finds a server; the built workbench is served by the server itself. */
const server = process.env.TRELLIS_URL ?? 'http://127.0.0.1:7878';

export default defineConfig({
  plugins: [react(), packed()],
  resolve: { alias: { '~': resolve(import.meta.dirname, 'src') } },
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 1500, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': server, '/errors': server } },
});
