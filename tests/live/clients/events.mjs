// The client graphql-sse in its mode of distinct connections: `node events.mjs URL TOKEN CASE`. Prints one JSON object of what
// it was told; an event of the case must happen while it runs.

import { createClient } from 'graphql-sse';

const [, , url, token, id] = process.argv;
const client = createClient({ url, singleConnection: false, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 });

function all(request, most = Infinity) {
  return new Promise((done) => {
    const told = [];
    const stop = client.subscribe(request, {
      next: (value) => {
        told.push(value);
        if (told.length >= most) {
          stop();
          done({ told });
        }
      },
      error: (error) => done({ told, error: String(error.response?.status ?? error) }),
      complete: () => done({ told }),
    });
  });
}

const query = await all({ query: '{ viewer { name } }' });
const SAY = 'mutation($input: AddCaseCommentInput!) { addCaseComment(input: $input) { userErrors { code } } }';
const mutation = await all({ query: SAY, variables: { input: { caseId: id, body: 'Said by a stream.' } } });
const mistake = await all({ query: '{ nothing }' });
const event = await all(
  { query: 'subscription($id: ID!) { caseChanged(id: $id) { event case { id } } }', variables: { id } },
  1,
);
console.log(JSON.stringify({ query, mutation, mistake, event }));
process.exit(0);
