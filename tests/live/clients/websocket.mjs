// The client graphql-ws: `node websocket.mjs URL TOKEN CASE`. Prints one JSON object of what it was told; an event of the case
// must happen while it runs.

import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [, , url, token, id] = process.argv;

function client(options = {}) {
  return createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    ...options,
  });
}

function all(subscribing, request, most = Infinity) {
  return new Promise((done) => {
    const told = [];
    const stop = subscribing.subscribe(request, {
      next: (value) => {
        told.push(value);
        if (told.length >= most) stop();
      },
      error: (error) => done({ told, error: error.code ? { code: error.code, reason: error.reason } : error }),
      complete: () => done({ told }),
    });
  });
}

function closeOf(subprotocol) {
  return new Promise((done) => {
    const socket = new WebSocket(url, subprotocol);
    socket.on('close', (code) => done(code));
    socket.on('error', () => {});
  });
}

let pongs = 0;
let answered;
const pong = new Promise((done) => (answered = done));
// A socket that nobody uses any more stays for as long as the first pong may take.
const one = client({ keepAlive: 50, lazyCloseTimeout: 15_000, on: { pong: () => answered((pongs += 1)) } });
const followed = all(one, { query: 'subscription($id: ID!) { caseChanged(id: $id) { event case { id } } }', variables: { id } }, 1);
const query = await all(one, { query: '{ viewer { name } }' });
const SAY = 'mutation($input: AddCaseCommentInput!) { addCaseComment(input: $input) { userErrors { code } } }';
const mutation = await all(one, { query: SAY, variables: { input: { caseId: id, body: 'Said by a socket.' } } });
const mistake = await all(one, { query: '{ nothing }' });
const event = await followed;
await Promise.race([pong, new Promise((done) => setTimeout(done, 10_000))]);
await one.dispose();
const forbidden = await all(client({ connectionParams: { authorization: 'Bearer nonsense' } }), { query: '{ viewer { name } }' });
console.log(JSON.stringify({ query, mutation, mistake, event, forbidden, pongs, legacy: await closeOf('graphql-ws') }));
process.exit(0);
