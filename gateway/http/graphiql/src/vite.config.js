import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { defineConfig } from 'vite';
import { patches } from './patches.js';

const here = import.meta.dirname;
const fontFolder = resolve(here, 'node_modules/.fonts');

/** Monaco with only the parts that this page uses. */
const fewerMonacoParts = {
  name: 'fewer-monaco-parts',
  enforce: 'pre',
  async resolveId(source, importer, options) {
    if (!/monaco-editor(\.js)?$/.test(source) || importer === undefined) return null;
    const found = await this.resolve(source, importer, { ...options, skipSelf: true });
    return found?.id.endsWith('monaco-graphql/esm/monaco-editor.js') ? resolve(here, 'monaco.js') : null;
  },
};

/** GraphiQL's fonts come inside its style sheets; `font-src 'self'` wants files. Latin is enough for es, en and pt. */
const fontsAsFiles = {
  name: 'fonts-as-files',
  enforce: 'pre',
  transform(css, id) {
    if (!/@graphiql\/react\/font\/[\w-]+\.css/.test(id)) return null;
    mkdirSync(fontFolder, { recursive: true });
    const faces = css.match(/@font-face\s*\{[^}]*\}/g) ?? [];
    const kept = faces.filter((face) => /U\+0000-00FF|U\+0100-024F/.test(face) && !face.includes('italic'));
    return kept.map((face) => face.replace(/url\(data:font\/(\w+);base64,([^)]+)\)/, (_, kind, data) => {
      const bytes = Buffer.from(data, 'base64');
      const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.${kind}`;
      writeFileSync(resolve(fontFolder, name), bytes);
      return `url(${relative(resolve(id.split('?')[0], '..'), resolve(fontFolder, name))})`;
    })).join('\n');
  },
};

/** What depends on nothing else first: a chunk imports only from those above it. */
const CHUNKS = [
  { name: 'monaco-base', test: /monaco-editor\/esm\/vs\/(base|nls)/, priority: 11 },
  { name: 'monaco-platform', test: /monaco-editor\/esm\/vs\/platform\//, priority: 10 },
  { name: 'monaco-common', test: /monaco-editor\/esm\/vs\/editor\/common\//, priority: 9 },
  { name: 'monaco-view', test: /monaco-editor\/esm\/vs\/editor\/browser\//, priority: 8 },
  { name: 'monaco-parts', test: /monaco-editor\/esm\/vs\/editor\//, priority: 7 },
  { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\//, priority: 6 },
  { name: 'graphql', test: /node_modules\/(graphql|graphql-language-service)\//, priority: 5 },
];

// Only one of the three workers holds GraphQL, so its absence from the others is no fault.
const { name, enforce, transform } = patches(['graphql/jsutils/instanceOf.mjs']);
const withoutDevelopmentChecks = { name, enforce, transform };

export default defineConfig({
  root: here,
  base: '/graphiql/',
  plugins: [fewerMonacoParts, fontsAsFiles, patches()],
  worker: { format: 'es', plugins: () => [withoutDevelopmentChecks] },
  build: {
    outDir: resolve(here, '../dist'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
    reportCompressedSize: false,
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      // Packages built for React's server side mark their files; a page has no use for that.
      onLog: (level, log, handle) => log.code === 'MODULE_LEVEL_DIRECTIVE' || handle(level, log),
      output: { codeSplitting: { groups: CHUNKS }, strictExecutionOrder: true },
    },
  },
});
