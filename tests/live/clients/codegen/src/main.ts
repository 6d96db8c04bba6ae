// A portal of generated types, its documents by name alone: `node main.js URL TOKEN`. Prints one JSON object of what it was told.

import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';

import { happened, latestCases, openCase } from './documents.js';
import type { CaseStatus, CreateCaseInput } from './gql/graphql.js';

declare const process: { argv: string[] };

type Named<Result, Variables> = DocumentTypeDecoration<Result, Variables> & { __meta__?: Record<string, unknown> | undefined };

const [, , url = '', token = ''] = process.argv;

interface Answer<Result> {
  data?: Result;
  errors?: { message: string; extensions: { code: string } }[];
}

async function sent<Result>(request: object): Promise<Answer<Result>> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(request),
  });
  return (await answer.json()) as Answer<Result>;
}

async function ask<Result, Variables>(document: Named<Result, Variables>, variables: Variables): Promise<Result> {
  const told = await sent<Result>({ documentId: document.__meta__?.['hash'], variables });
  if (!told.data || told.errors) throw new Error(JSON.stringify(told.errors));
  return told.data;
}

const open: CaseStatus[] = ['NEW', 'IN_PROGRESS'];
const { viewer, cases } = await ask(latestCases, { first: 3, filter: { statuses: open } });
const lines = (cases?.nodes ?? []).map((one) => `${one.number ?? '-'} ${one.status} ${one.order?.total.currency ?? '-'}`);

const input: CreateCaseInput = { category: 'NOT_A_CATEGORY', description: 'Of what colour?' };
const refused = (await ask(openCase, { input })).createCase?.userErrors ?? [];

const number: string = cases?.nodes[0]?.number ?? '';
const events = (await ask(happened, { number })).case?.timeline?.nodes ?? [];
const said = events.map((event) => {
  switch (event.__typename) {
    case 'CaseComment':
      return event.body.length > 0;
    case 'CaseStatusChanged':
      return event.to satisfies CaseStatus;
    default:
      return event.__typename;
  }
});

const unlisted = (await sent({ query: '{ viewer { name } }' })).errors?.[0]?.extensions.code;
console.log(
  JSON.stringify({ name: viewer?.name, lines, refused: refused.map(({ code, field }) => ({ code, field })), said, unlisted }),
);
