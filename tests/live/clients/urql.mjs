// urql as a portal would set it up: `node urql.mjs URL TOKEN`. Prints one JSON object of what it was told, and of what it sent.

import { randomUUID } from 'node:crypto';

import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [, , url, token] = process.argv;
const authorization = `Bearer ${token}`;
// The second shows that a form was meant.
const headers = { authorization, 'graphql-require-preflight': '1' };
const requests = [];

async function recorded(address, options) {
  const answer = await fetch(address, options);
  const form = options.body instanceof FormData;
  const body = form ? options.body.get('operations') : options.body;
  const text = options.method === 'GET' ? new URL(address).searchParams.get('query') : JSON.parse(body).query;
  const kind = `${text ? 'text' : 'hash'}${form ? ' form' : ''}`;
  const type = answer.headers.get('content-type').split(';')[0];
  requests.push({ method: options.method, kind, status: answer.status, type, accept: options.headers.accept });
  return answer;
}

function since(start) {
  return requests.slice(start).map(({ method, kind, status }) => `${method} ${kind} ${status}`);
}

const shared = { url, fetch: recorded, preferGetMethod: false, fetchOptions: { headers } };
const client = new Client({ ...shared, exchanges: [cacheExchange, fetchExchange] });
const told = {};

// What it takes ends with streams of events; a query is answered with JSON all the same.
const NEWEST = gql`query { viewer { name } cases(first: 1) { nodes { id status } } }`;
const { data } = await client.query(NEWEST, {}).toPromise();
told.name = data.viewer.name;
told.type = requests[0].type;
told.accept = requests[0].accept;
const [{ id }] = data.cases.nodes;

const errorsOf = (error) => error.graphQLErrors.map(({ message, path, extensions }) => ({ message, path, extensions }));
const beside = await client.query(gql`query { faqs(first: 1) { nodes { id } } account(id: "nonsense") { id name } }`, {}).toPromise();
told.beside = { data: beside.data.faqs.nodes.length, account: beside.data.account, errors: errorsOf(beside.error) };
told.wrong = errorsOf((await client.query(gql`query { nothing }`, {}).toPromise()).error);

// A mutation: what a person can put right.
const CREATE = gql`mutation ($input: CreateCaseInput!) { createCase(input: $input) { case { id } userErrors { code field } } }`;
const refused = await client.mutation(CREATE, { input: { category: 'QUERY', description: '' } }).toPromise();
told.refused = refused.data.createCase.userErrors.map(({ code, field }) => ({ code, field }));

// A file for a case.
const ATTACH = gql`
  mutation ($input: AddCaseAttachmentsInput!) { addCaseAttachments(input: $input) { attachments { filename } userErrors { code field } } }
`;
const sending = requests.length;
const file = new File([`%PDF-1.4\n% ${randomUUID()}\n%%EOF\n`], 'one.pdf', { type: 'application/pdf' });
const attached = await client.mutation(ATTACH, { input: { caseId: id, files: [file] } }).toPromise();
const { attachments, userErrors } = attached.data.addCaseAttachments;
told.attached = [...attachments.map(({ filename }) => filename), ...userErrors, ...since(sending)];

// Automatic persisted queries, by POST and by GET, by clients that share nothing.
told.persisted = {};
for (const preferGetForPersistedQueries of [false, true]) {
  const query = gql(`query Asked_${randomUUID().replaceAll('-', '')} { viewer { name } }`);
  const start = requests.length;
  for (let turn = 0; turn < 2; turn += 1) {
    const exchanges = [persistedExchange({ preferGetForPersistedQueries }), fetchExchange];
    const answer = await new Client({ ...shared, exchanges }).query(query, {}).toPromise();
    if (answer.data?.viewer.name !== told.name) throw answer.error;
  }
  told.persisted[preferGetForPersistedQueries ? 'get' : 'post'] = since(start);
}

// What changes, by a socket and by a stream of events.
const FOLLOW = gql`subscription ($id: ID!) { caseChanged(id: $id) { event case { id status } } }`;
const SAY = gql`mutation ($input: AddCaseCommentInput!) { addCaseComment(input: $input) { comment { id } userErrors { code } } }`;

async function first(following) {
  let said = 0;
  const saying = setInterval(() => {
    said += 1;
    client.mutation(SAY, { input: { caseId: id, body: `Number ${said}, ${randomUUID()}` } }).toPromise();
  }, 500);
  const answer = await new Promise((done) => {
    const { unsubscribe } = following.subscription(FOLLOW, { id }).subscribe((result) => {
      if (result.data && result.data.caseChanged.event !== 'COMMENTED') return; // of what was sent before
      done(result);
      setTimeout(() => unsubscribe());
    });
  });
  clearInterval(saying);
  return answer.error ? errorsOf(answer.error) : { event: answer.data.caseChanged.event, same: answer.data.caseChanged.case.id === id };
}

const socket = createClient({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { authorization },
  retryAttempts: 0,
});
const forwarded = subscriptionExchange({
  forwardSubscription: ({ query, variables, operationName }) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query ?? '', variables, operationName }, sink) }),
  }),
});
told.socket = await first(new Client({ ...shared, exchanges: [forwarded, fetchExchange] }));
told.events = await first(new Client({ ...shared, fetchSubscriptions: true, exchanges: [fetchExchange] }));
told.streamed = requests.some(({ type }) => type === 'text/event-stream');

console.log(JSON.stringify(told));
process.exit(0);
