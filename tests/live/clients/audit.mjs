// The audits of GraphQL over HTTP: `node audit.mjs URL`. Prints one JSON object: how many passed, and what the others say.

import { serverAudits } from 'graphql-http';

const [, , url] = process.argv;
const failed = [];
const audits = serverAudits({ url, fetchFn: fetch });
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status !== 'ok') {
    failed.push({ id: audit.id, name: audit.name, status: result.status, reason: result.reason });
  }
}
console.log(JSON.stringify({ passed: audits.length - failed.length, failed }));
