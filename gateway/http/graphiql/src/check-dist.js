// Fails the build when dist holds what must not be served or committed.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

// In parts, so that this file does not hold what it looks for.
const REGISTRIES = ['npm', 'npm' + 'js', 'yarn' + 'pkg', 'py' + 'pi', 'python' + 'hosted'].join('|');
const DIST = resolve(import.meta.dirname, '../dist');
const LARGEST = 1_000_000;

const UNWANTED = [
  ['a package registry\'s host', new RegExp(`\\bregistry\\.[a-z0-9-]+\\.[a-z]{2,}|\\b(?:${REGISTRIES})\\.(?:com|org)\\b`)],
  ['a content delivery network', /\b(?:cdn|cdnjs)\.[a-z0-9-]+\.[a-z]{2,}|\bunpkg\.com\b|\bjsdelivr\.net\b|\besm\.sh\b|\bfonts\.(?:googleapis|gstatic)\.com\b/],
  ['the folder it was built in', new RegExp(resolve(import.meta.dirname, '..').replaceAll(/[.\\/]/g, '\\$&') + '/')],
];
const OF_STYLE_SHEETS = [['a data: font', /url\(["']?data:font/], ['another host', /(?:url\(|@import)\s*["']?(?:https?:)?\/\//]];
const OF_PAGES = [['an inline script', /<script(?![^>]*\ssrc=)/], ['an inline style', /<style|\sstyle=/], ['another host', /(?:src|href)="(?:https?:)?\/\//]];
// Code made from strings: `script-src 'self'` refuses it when the page runs.
const OF_SCRIPTS = [['code made from strings', /\bnew Function\(|\beval\(/]];

function rulesFor(name) {
  if (name.endsWith('.css')) return [...UNWANTED, ...OF_STYLE_SHEETS];
  if (name.endsWith('.html')) return [...UNWANTED, ...OF_PAGES];
  if (name.endsWith('.js')) return [...UNWANTED, ...OF_SCRIPTS];
  return UNWANTED;
}

const files = readdirSync(DIST, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

const faults = files.flatMap((file) => {
  const name = relative(DIST, file);
  const text = readFileSync(file, 'latin1');
  const tooLarge = statSync(file).size > LARGEST ? [`${name}: larger than ${LARGEST} bytes`] : [];
  const unwanted = rulesFor(name)
    .map(([what, pattern]) => [what, pattern.exec(text)])
    .filter(([, found]) => found)
    .map(([what, found]) => `${name}: ${what}: ${text.slice(Math.max(0, found.index - 30), found.index + 50)}`);
  return [...tooLarge, ...unwanted];
});

const total = files.reduce((sum, file) => sum + statSync(file).size, 0);
if (files.length === 0) faults.push('dist is empty');
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`dist: ${files.length} files, ${total} bytes, nothing unwanted`);
