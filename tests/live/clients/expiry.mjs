// What graphql-ws and graphql-sse hear when a token ends while they follow something: `node expiry.mjs URL TOKEN`, the token one of
// a few seconds. Prints one JSON object.

import { createClient as eventsClient } from 'graphql-sse';
import { createClient as socketClient } from 'graphql-ws';
import WebSocket from 'ws';

const [, , url, token] = process.argv;
const authorization = `Bearer ${token}`;
const query = 'subscription { casesChanged { event } }';

function heard(client) {
  return new Promise((done) => {
    const told = [];
    client.subscribe(
      { query },
      {
        next: (value) => told.push(value),
        error: (error) => done({ told, error: error.code ? { code: error.code, reason: error.reason } : `${error}` }),
        complete: () => done({ told, error: null }),
      },
    );
  });
}

const socket = socketClient({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { authorization },
  retryAttempts: 0,
});
const events = eventsClient({ url, headers: { authorization }, retryAttempts: 0 });
const [bySocket, byEvents] = await Promise.all([heard(socket), heard(events)]);
console.log(JSON.stringify({ socket: bySocket, events: byEvents }));
process.exit(0);
