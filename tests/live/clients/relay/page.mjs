// Pages of Relay, their documents by name alone: `node page.mjs URL TOKEN ACCOUNT CASE`. Prints one JSON object of what its store
// has after the pages were read.

import { createClient } from 'graphql-ws';
import relay from 'relay-runtime';
import WebSocket from 'ws';

import accountPage from './artifacts/accountPageQuery.graphql.js';
import accountCases from './artifacts/accountCases_account.graphql.js';
import accountCasesPage from './artifacts/accountCasesPageQuery.graphql.js';
import accountQuestions from './artifacts/accountQuestions_query.graphql.js';
import caseChanged from './artifacts/caseChangedSubscription.graphql.js';
import caseComment from './artifacts/caseCommentMutation.graphql.js';
import casePage from './artifacts/casePageQuery.graphql.js';
import caseTimeline from './artifacts/caseTimeline_case.graphql.js';
import caseUpload from './artifacts/caseUploadMutation.graphql.js';

const { ConnectionHandler, Environment, Network, Observable, RecordSource, Store } = relay;
const { commitMutation, createOperationDescriptor, fetchQuery, getSingularSelector, requestSubscription } = relay;
const [, , url, token, account, id] = process.argv;
const headers = {
  accept: 'application/graphql-response+json, application/json;q=0.9',
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
};

async function sent(request) {
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(request) });
  return answer.json();
}

const ask = (params, variables) => sent({ documentId: params.id, variables });

const socket = createClient({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { authorization: headers.authorization },
  retryAttempts: 0,
});
const follow = (params, variables) =>
  Observable.create((sink) => socket.subscribe({ query: '', documentId: params.id, variables }, sink));

const environment = new Environment({ network: Network.create(ask, follow), store: new Store(new RecordSource()) });

async function page(query, variables) {
  const data = await fetchQuery(environment, query, variables).toPromise();
  environment.retain(createOperationDescriptor(query, variables));
  return data;
}

const read = (fragment, reference) => environment.lookup(getSingularSelector(fragment, reference)).data;

const first = await page(accountPage, { id: account });
const before = read(accountCases, first.account).cases;
await page(accountCasesPage, { id: account, first: 2, after: before.pageInfo.endCursor });
const whole = read(accountCases, first.account).cases;
const { node } = await page(casePage, { id });
const timeline = () => read(caseTimeline, node.case).timeline.edges.map(({ node: event }) => event);
const happened = timeline();

function change(mutation, variables) {
  return new Promise((onCompleted, onError) => commitMutation(environment, { mutation, variables, onCompleted, onError }));
}

const upload = await change(caseUpload, { input: { filename: 'a.pdf', contentType: 'application/pdf', size: 0 } });

// A comment stands at the end of the list at once, and whoever follows the case hears of it.
const connections = [ConnectionHandler.getConnectionID(id, 'caseTimeline_timeline')];
let said = 0;
const changed = await new Promise((done) => {
  const say = () => {
    said += 1;
    change(caseComment, { input: { caseId: id, body: `Number ${said}` }, connections });
  };
  const saying = setInterval(say, 500);
  const subscription = requestSubscription(environment, {
    subscription: caseChanged,
    variables: { id },
    onNext: ({ caseChanged: told }) => {
      if (told.event !== 'COMMENTED') return; // of what was sent before
      clearInterval(saying);
      subscription.dispose();
      done(told.event);
    },
    onError: (error) => done(`${error}`),
  });
});
console.log(
  JSON.stringify({
    name: first.account.name,
    cases: [before, whole].map((one) => one.edges.map((edge) => edge.node.number)),
    total: whole.totalCount,
    questions: read(accountQuestions, first).faqs.edges.length,
    timeline: happened.map((event) => event.__typename),
    changed,
    latest: timeline().at(-1).__typename,
    upload: upload.createUpload,
    unlisted: (await sent({ query: '{ viewer { name } }' })).errors?.[0].extensions.code,
  }),
);
process.exit(0);
