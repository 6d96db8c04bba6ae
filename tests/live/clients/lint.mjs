// The rule sets schema-recommended and schema-relay of GraphQL-ESLint on a schema: `node lint.mjs SCHEMA`. Prints one JSON object:
// what they find, and which of the exceptions below nothing needs any more.

import { readFile } from 'node:fs/promises';

import plugin from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';

const [, , path] = process.argv;
const rule = (name) => `@graphql-eslint/${name}`;

const options = {
  // Pages, answers of mutations, and values: what they are is what they hold, and they are read with what they belong to.
  'strict-id-in-types': {
    exceptions: {
      suffixes: ['Connection', 'Edge', 'Payload'],
      types: [
        ...['Address', 'Author', 'CreditPosition', 'Delivery', 'Invoice', 'Money', 'OpeningHours', 'OrderLine', 'PageInfo', 'Product'],
        ...['CaseCategory', 'CaseSubcategory', 'FormField', 'FormOption', 'CaseDetail', 'SupportDesk'],
        ...['CaseChange', 'CaseOpened', 'CaseRejection', 'CaseStatusChanged', 'Membership', 'Session', 'UserError', 'Viewer'],
      ],
    },
  },
  // `nodes` beside `edges`, as GitHub has it; and lists that are short and whole, as `userErrors` is.
  'relay-edge-types': { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
  // Relay's specification asks for one direction at least. Lists that no system reads from behind go forwards.
  'relay-arguments': { includeBoth: false },
};

// Single places where a rule is right in general and wrong here, by rule and the line's beginning.
const exceptions = [
  // A day, not a thing of the order: it means "ordered on".
  [rule('no-typename-prefix'), 'orderedOn: Date!'],
  // A line has no life outside of its order, and no system finds one by itself.
  [rule('relay-edge-types'), 'type OrderLineEdge {'],
  // GraphQL's own directive, described by GraphQL; it stands in the file for parsers older than it.
  [rule('require-description'), 'directive @oneOf on INPUT_OBJECT'],
];

const rules = { ...plugin.configs['flat/schema-recommended'].rules, ...plugin.configs['flat/schema-relay'].rules };
for (const [name, chosen] of Object.entries(options)) rules[rule(name)] = ['error', chosen];

const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [
    {
      files: ['**/*.graphql'],
      languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: path } } },
      plugins: { '@graphql-eslint': plugin },
      rules,
    },
  ],
});
const lines = (await readFile(path, 'utf8')).split('\n');
const [{ messages }] = await eslint.lintText(lines.join('\n'), { filePath: 'schema.graphql' });
const found = messages.map(({ ruleId, line, message }) => ({ rule: ruleId, line, text: lines[line - 1].trim(), message }));
const excepts = (one) => exceptions.find(([name, text]) => one.rule === name && one.text.startsWith(text));
const needed = found.map(excepts);
console.log(
  JSON.stringify({
    rules: Object.keys(rules).length,
    found: found.filter((one) => !excepts(one)),
    needless: exceptions.filter((one) => !needed.includes(one)),
  }),
);
