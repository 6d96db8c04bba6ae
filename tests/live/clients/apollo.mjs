// Apollo Client as a portal would set it up: `node apollo.mjs URL TOKEN`. Prints one JSON object of what it was told, and of what
// it sent.

import { createHash, randomUUID } from 'node:crypto';

import { ApolloClient, ApolloLink, CombinedGraphQLErrors, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [, , url, token] = process.argv;
const authorization = `Bearer ${token}`;
const requests = [];

async function recorded(address, options) {
  // The second header shows that a form was meant.
  const headers = { ...options.headers, authorization, 'apollo-require-preflight': 'true' };
  const answer = await fetch(address, { ...options, headers });
  const body = typeof options.body === 'string' ? JSON.parse(options.body) : undefined;
  const kind = options.body instanceof FormData ? 'form' : body?.query ? 'text' : 'hash';
  requests.push({ method: options.method, kind, status: answer.status, type: answer.headers.get('content-type') });
  return answer;
}

function since(start) {
  return requests.slice(start).map(({ method, kind, status }) => `${method} ${kind} ${status}`);
}

const cache = () =>
  new InMemoryCache({
    possibleTypes: { Node: ['Account', 'Attachment', 'Case', 'CaseComment', 'Contact', 'FaqEntry', 'NewsArticle', 'Order'] },
    typePolicies: { Query: { fields: { orders: relayStylePagination(['filter', 'orderBy']) } } },
  });
const socket = createClient({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: async () => ({ authorization }),
  retryAttempts: 0,
});
const http = new UploadHttpLink({ uri: url, fetch: recorded });
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const named = () => new PersistedQueryLink({ sha256 }).concat(http);
const lasts = ({ operationType }) => operationType === 'subscription';
const link = ApolloLink.split(lasts, new GraphQLWsLink(socket), http);
const client = new ApolloClient({ cache: cache(), link, defaultOptions: { query: { errorPolicy: 'all' }, mutate: { errorPolicy: 'all' } } });

const told = {};
const errorsOf = (error) =>
  CombinedGraphQLErrors.is(error) ? error.errors.map(({ message, path, extensions }) => ({ message, path, extensions })) : `${error}`;

// A query; the cache keeps a case by its global id.
const list = await client.query({ query: gql`query { viewer { name } cases(first: 2) { nodes { id number subject status } } }` });
const [one] = list.data.cases.nodes;
told.name = list.data.viewer.name;
told.type = requests[0].type;
told.cached = client.cache.extract()[`Case:${one.id}`].number === one.number;
const start = requests.length;
const again = await client.query({ query: gql`query { viewer { name } cases(first: 2) { nodes { id number subject status } } }` });
told.again = [again.data.cases.nodes[0].number === one.number, since(start)];

// A list that grows page by page; and a fragment on what may be of any type.
const ORDERS = gql`
  query ($after: String) {
    orders(first: 2, after: $after) { edges { node { id number } } pageInfo { hasNextPage endCursor } }
  }
`;
const { endCursor: after } = (await client.query({ query: ORDERS })).data.orders.pageInfo;
await client.query({ query: ORDERS, variables: { after }, fetchPolicy: 'network-only' }); // as fetchMore asks
const numbers = client.cache.readQuery({ query: ORDERS }).orders.edges.map(({ node }) => node.number);
told.pages = [numbers.length, new Set(numbers).size];
const NODE = gql`query ($id: ID!) { node(id: $id) { ...on Node { id } ... on Case { number } } }`;
told.node = (await client.query({ query: NODE, variables: { id: one.id } })).data.node.number === one.number;

// Errors with what they carry, beside what could be answered; and a document that is not valid.
const asked = requests.length;
const beside = await client.query({ query: gql`query { faqs(first: 1) { nodes { id } } account(id: "nonsense") { id name } }` });
told.beside = { data: beside.data.faqs.nodes.length, account: beside.data.account, errors: errorsOf(beside.error), sent: since(asked) };
told.wrong = errorsOf((await client.query({ query: gql`query { nothing }` })).error);

// What a person can put right.
const CREATE = gql`
  mutation ($input: CreateCaseInput!) {
    createCase(input: $input) {
      case { id number status attachments(first: 5) { nodes { id filename size } } }
      userErrors { code field message }
    }
  }
`;
const pdf = (name) => new File([`%PDF-1.4\n% ${randomUUID()}\n%%EOF\n`], name, { type: 'application/pdf' });
const refused = await client.mutate({ mutation: CREATE, variables: { input: { category: 'QUERY', description: '' } } });
told.refused = refused.data.createCase.userErrors.map(({ code, field }) => ({ code, field }));

// A case with files, and more files for it.
const formed = requests.length;
const input = { category: 'QUERY', description: 'A file and another one.', files: [pdf('one.pdf'), pdf('two.pdf')] };
const created = (await client.mutate({ mutation: CREATE, variables: { input } })).data.createCase;
told.created = { userErrors: created.userErrors, files: created.case.attachments.nodes.map(({ filename }) => filename) };
const ATTACH = gql`
  mutation ($input: AddCaseAttachmentsInput!) {
    addCaseAttachments(input: $input) { attachments { id filename } userErrors { code field message } }
  }
`;
const files = [pdf('three.pdf'), new File(['MZ nothing'], 'four.exe', { type: 'application/octet-stream' })];
const attach = async (some) =>
  (await client.mutate({ mutation: ATTACH, variables: { input: { caseId: created.case.id, files: some } } })).data.addCaseAttachments;
told.exe = (await attach(files)).userErrors.map(({ code, field }) => ({ code, field }));
told.attached = (await attach(files.slice(0, 1))).attachments.map(({ filename }) => filename);
told.forms = since(formed);

// Automatic persisted queries: a document nobody asked before, twice, by clients that share nothing.
const query = gql(`query Asked_${randomUUID().replaceAll('-', '')} { viewer { name } }`);
const taught = requests.length;
told.persisted = [];
for (let turn = 0; turn < 2; turn += 1) {
  const { data } = await new ApolloClient({ cache: cache(), link: named() }).query({ query });
  told.persisted.push(data.viewer.name);
}
told.taught = since(taught);

// A subscription by the socket; what it tells of the case is in the cache for whoever shows it.
const SAY = gql`mutation ($input: AddCaseCommentInput!) { addCaseComment(input: $input) { comment { id } userErrors { code } } }`;
const FOLLOW = gql`subscription ($id: ID!) { caseChanged(id: $id) { event case { id status updatedAt } } }`;
const followed = new Promise((done) => {
  const subscription = client.subscribe({ query: FOLLOW, variables: { id: created.case.id } }).subscribe({
    next: ({ data, error }) => {
      if (data && data.caseChanged.event !== 'COMMENTED') return; // of what was sent before
      subscription.unsubscribe();
      done(error ? errorsOf(error) : data.caseChanged);
    },
    error: (error) => done(errorsOf(error)),
  });
});
let said = 0;
const saying = setInterval(() => {
  said += 1;
  const variables = { input: { caseId: created.case.id, body: `Number ${said}` } };
  client.mutate({ mutation: SAY, variables }).catch(() => {});
}, 500);
const change = await followed;
clearInterval(saying);
told.change = change.event ? { event: change.event, same: change.case.id === created.case.id } : change;
told.updated = change.case ? client.cache.extract()[`Case:${created.case.id}`].updatedAt === change.case.updatedAt : false;

console.log(JSON.stringify(told));
process.exit(0);
