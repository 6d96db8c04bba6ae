// The client tus-js-client: `node tus.mjs URL SIZE CUTS` sends a file of SIZE bytes to an address that `createUpload` gave. So many
// of its connections are cut, each a megabyte or more after it began. Prints one JSON object of how it went on.

import { createHash } from 'node:crypto';
import { Upload } from 'tus-js-client';

const [, , uploadUrl, size, cuts] = process.argv;
const content = Buffer.alloc(Number(size));
for (let at = 0; at < content.length; at += 1) content[at] = 32 + ((at * 7 + (at >> 10)) % 90);
content.write('%PDF-1.7\n');
let left = Number(cuts);
const offsets = [];

function send() {
  return new Promise((done, failed) => {
    const upload = new Upload(content, {
      uploadUrl,
      retryDelays: [0, 200, 500, 1000],
      onError: failed,
      onSuccess: () => done(true),
      onProgress: (sent) => {
        if (left > 0 && sent >= offsets.at(-1) + 1_000_000) {
          left -= 1;
          upload.abort(false).then(() => done(false));
        }
      },
      onAfterResponse: (request, response) => {
        if (request.getMethod() === 'HEAD') offsets.push(Number(response.getHeader('Upload-Offset')));
      },
    });
    upload.start();
  });
}

while (!(await send()));
console.log(JSON.stringify({ offsets, digest: createHash('sha256').update(content).digest('hex') }));
