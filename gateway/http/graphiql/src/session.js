// Keeps the token and the language for this browser tab, and sends operations with them.
export const LANGUAGES = { es: 'Español', en: 'English', pt: 'Português' };

const TOKEN_KEY = 'gateway:token';
const LANGUAGE_KEY = 'gateway:language';
// RFC 6750, section 2.1: what a bearer token may be made of. Anything else would break the header.
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** What was pasted, without the spaces, quotes or "Bearer" that come along from a terminal. */
export function tidyToken(text) {
  return text.trim().replace(/^(authorization:\s*)?bearer\s+/i, '').replace(/^["']|["']$/g, '').trim();
}

export const isToken = (text) => TOKEN.test(text);

export const storedToken = () => sessionStorage.getItem(TOKEN_KEY) ?? '';

export function storeToken(token) {
  if (token) sessionStorage.setItem(TOKEN_KEY, token);
  else sessionStorage.removeItem(TOKEN_KEY);
}

export function storedLanguage() {
  const wished = [sessionStorage.getItem(LANGUAGE_KEY), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wished.find((tag) => tag in LANGUAGES) ?? 'en';
}

export const storeLanguage = (language) => sessionStorage.setItem(LANGUAGE_KEY, language);

/**
 * The name to run by, if the document has an operation of that name. GraphiQL reads what is typed a moment later, and
 * still holds the name of what was there before when an example is run at once.
 */
function nameIn({ query, operationName }) {
  return new RegExp(`\\b(query|mutation|subscription)\\s+${operationName}\\b`).test(query) ? operationName : undefined;
}

function isSubscription(operation) {
  const name = nameIn(operation);
  if (name) return new RegExp(`\\bsubscription\\s+${name}\\b`).test(operation.query);
  return /^\s*subscription\b/m.test(operation.query) && !/^\s*(query|mutation)\b/m.test(operation.query);
}

/** Runs an operation for GraphiQL, as whoever is signed in now; headers typed in its own editor win over ours. */
export function send(operation, { headers = {} } = {}) {
  return isSubscription(operation) ? follow(operation, headers) : ask(operation, headers);
}

function request(operation, headers, accept, signal) {
  const token = storedToken();
  return fetch('/graphql', {
    method: 'POST',
    headers: {
      Accept: accept,
      'Accept-Language': storedLanguage(),
      'Content-Type': 'application/json',
      ...(isToken(token) && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ ...operation, operationName: nameIn(operation) }),
    signal,
  });
}

async function answerOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The gateway answered ${response.status} with something that is not JSON: ${text.slice(0, 200)}`);
  }
}

const ask = async (operation, headers) =>
  answerOf(await request(operation, headers, 'application/graphql-response+json, application/json;q=0.9'));

/** Each answer of a subscription as it comes; what is not run has one. To stop does not wait for the next one. */
function follow(operation, headers) {
  const stop = new AbortController();
  const answers = events(operation, headers, stop.signal);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => answers.next().catch((error) => (stop.signal.aborted ? { done: true } : Promise.reject(error))),
    return: async () => {
      stop.abort();
      return { done: true };
    },
  };
}

async function* events(operation, headers, signal) {
  const response = await request(operation, headers, 'text/event-stream', signal);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    yield await answerOf(response);
    return;
  }
  let rest = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + part).split('\n\n');
    rest = whole.pop();
    for (const event of whole) {
      if (event.startsWith('event: complete')) return;
      if (event.startsWith('event: next')) yield JSON.parse(event.slice(event.indexOf('data: ') + 6));
    }
  }
}
