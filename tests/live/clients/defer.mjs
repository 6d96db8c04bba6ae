// Apollo Client that takes answers in parts: `node defer.mjs URL TOKEN`. Prints one JSON object of what it was told.

import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { GraphQL17Alpha9Handler } from '@apollo/client/incremental';

const [, , url, token] = process.argv;
const types = [];

async function recorded(address, options) {
  const answer = await fetch(address, options);
  types.push(answer.headers.get('content-type'));
  return answer;
}

const made = () =>
  new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: url, fetch: recorded, headers: { authorization: `Bearer ${token}` } }),
    incrementalHandler: new GraphQL17Alpha9Handler(),
    defaultOptions: { query: { errorPolicy: 'all' }, watchQuery: { errorPolicy: 'all' } },
  });

const FIELDS = 'subject comments(first: 2) { nodes { id body } }';
const page = (fields) => gql(`query { viewer { name } cases(first: 3) { nodes { id number ${fields} } } }`);
const told = {};

const { data: parts } = await made().query({ query: page(`... @defer { ${FIELDS} }`) });
const { data: whole } = await made().query({ query: page(FIELDS) });
told.same = JSON.stringify(parts) === JSON.stringify(whole);
[told.type] = types;

// As a page shows it: what is there first, then the rest.
told.watched = await new Promise((done, fail) => {
  const seen = [];
  const query = page(`... @defer { ${FIELDS} }`);
  made()
    .watchQuery({ query })
    .subscribe({
      next: ({ data, dataState }) => {
        const nodes = data?.cases?.nodes;
        if (!nodes) return;
        seen.push({ numbers: nodes.length, subjects: nodes.filter(({ subject }) => subject !== undefined).length });
        if (dataState === 'complete') done(seen);
      },
      error: fail,
    });
});

// An error of a later part.
const query = gql`query { viewer { name } ... @defer { account(id: "nonsense") { id } } }`;
const { error } = await made().query({ query });
told.refused = CombinedGraphQLErrors.is(error) ? error.errors.map(({ path, extensions: { code } }) => ({ path, code })) : `${error}`;

console.log(JSON.stringify(told));
process.exit(0);
