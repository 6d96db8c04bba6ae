// Pages of Relay, their documents by name alone: `node page.mjs URL TOKEN ACCOUNT CASE`. Prints one JSON object of what its store
// has after the pages were read.

import relay from 'relay-runtime';

import accountPage from './artifacts/accountPageQuery.graphql.js';
import accountCases from './artifacts/accountCases_account.graphql.js';
import accountCasesPage from './artifacts/accountCasesPageQuery.graphql.js';
import accountQuestions from './artifacts/accountQuestions_query.graphql.js';
import casePage from './artifacts/casePageQuery.graphql.js';
import caseTimeline from './artifacts/caseTimeline_case.graphql.js';
import caseUpload from './artifacts/caseUploadMutation.graphql.js';

const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery, getSingularSelector } = relay;
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

const environment = new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });

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
const timeline = read(caseTimeline, (await page(casePage, { id })).node.case).timeline;
const upload = await new Promise((onCompleted, onError) =>
  commitMutation(environment, {
    mutation: caseUpload,
    variables: { input: { filename: 'a.pdf', contentType: 'application/pdf', size: 0 } },
    onCompleted,
    onError,
  }),
);
console.log(
  JSON.stringify({
    name: first.account.name,
    cases: [before, whole].map((one) => one.edges.map((edge) => edge.node.number)),
    total: whole.totalCount,
    questions: read(accountQuestions, first).faqs.edges.length,
    timeline: timeline.edges.map((edge) => edge.node.__typename),
    upload: upload.createUpload,
    unlisted: (await sent({ query: '{ viewer { name } }' })).errors?.[0].extensions.code,
  }),
);
