// Small changes to packages while they are bundled: styles that a strict Content-Security-Policy allows, a JSON
// formatter that is already there instead of one of half a megabyte, GraphQL without its checks for development,
// the page's colour.
// A text that is no longer found fails the build, so an update cannot undo one unseen.
import { resolve } from 'node:path';

const CSSOM = JSON.stringify(resolve(import.meta.dirname, 'cssom.js'));
const NEW_STYLE = /document\.createElement\('style'\)/;
const WITH_STYLE = [NEW_STYLE, 'styleElement()'];

const PATCHES = {
  'monaco-editor/esm/vs/base/browser/dom.js': { imports: 'styleElement', changes: [WITH_STYLE] },
  'monaco-editor/esm/vs/base/browser/ui/contextview/contextview.js': { imports: 'styleElement', changes: [WITH_STYLE] },
  'monaco-editor/esm/vs/editor/browser/view/viewLayer.js': {
    imports: 'applyStyles, setStylesAside',
    changes: [
      [/(_finishRenderingNewLines\(ctx, domNodeIsEmpty, newLinesHTML, wasNew\) \{)/, '$1 newLinesHTML = setStylesAside(newLinesHTML);'],
      [/(let currChild = this\._domNode\.lastChild;)/, 'applyStyles(this._domNode); $1'],
      [/(_finishRenderingInvalidLines\(ctx, invalidLinesHTML, wasInvalid\) \{)/, '$1 invalidLinesHTML = setStylesAside(invalidLinesHTML);'],
      [/(hugeDomNode\.innerHTML = invalidLinesHTML;)/, '$1 applyStyles(hugeDomNode);'],
    ],
  },
  'react-style-singleton/dist/es2015/singleton.js': {
    imports: 'styleElement',
    changes: [WITH_STYLE, [/tag\.appendChild\(document\.createTextNode\(css\)\)/, 'tag.textContent = css']],
  },
  // The editor's own colours, which no style sheet reaches: the blue of page.css.
  '@graphiql/react/dist/constants.js': {
    changes: [
      [/"#ff5794"/, '"#55a1e7"'],
      [/"#d60590"/, '"#20609d"'],
      [/"#ff579419"/, '"#55a1e733"'],
      [/"#d6059019"/, '"#20609d1f"'],
    ],
  },
  'graphql/jsutils/instanceOf.mjs': {
    changes: [[/globalThis\.process &&[^;]*'production'/, 'true']],
  },
  '@graphiql/react/dist/utility/jsonc.js': {
    changes: [
      [/import \{ parse, printParseErrorCode \}/, 'import { applyEdits, format, parse, printParseErrorCode }'],
      [
        /(async function formatJSONC\(content\) \{)[^]*?\n\}\n/,
        '$1 return applyEdits(content, format(content, undefined, { insertSpaces: true, tabSize: 2 })); }\n',
      ],
    ],
  },
};

function patched(code, file, { imports, changes }) {
  const changed = changes.reduce((text, [from, to]) => {
    const found = text.match(new RegExp(from, 'g'))?.length ?? 0;
    if (found !== 1) throw new Error(`patches.js: ${from} stands ${found} times in ${file}, not once`);
    return text.replace(from, to);
  }, code);
  return imports ? `import { ${imports} } from ${CSSOM};\n${changed}` : changed;
}

/** The plugin; `only` names the packages' files that a bundle holds, where it does not hold them all. */
export function patches(only = Object.keys(PATCHES)) {
  const seen = new Set();
  return {
    name: 'patches',
    enforce: 'pre',
    transform(code, id) {
      const file = only.find((name) => id.split('?')[0].endsWith(`/node_modules/${name}`));
      if (!file) return null;
      seen.add(file);
      return { code: patched(code, file, PATCHES[file]), map: null };
    },
    buildEnd(error) {
      const unused = only.filter((name) => !seen.has(name));
      if (!error && unused.length > 0) throw new Error(`patches.js: never bundled: ${unused.join(', ')}`);
    },
  };
}
