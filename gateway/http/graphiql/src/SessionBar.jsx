// The bar above the editor: who is asking, in which language, and how to get a token.
import { useId, useState } from 'react';
import ICON from './icon.svg';
import { isToken, LANGUAGES, tidyToken } from './session.js';

export function SessionBar({ token, onToken, language, onLanguage }) {
  const [shown, setShown] = useState(false);
  const [id, hintId, languageId] = [useId(), useId(), useId()];
  const state = token === '' ? 'none' : isToken(token) ? 'given' : 'odd';

  return (
    <header className="session-bar">
      <h1>
        <img src={ICON} alt="" width="26" height="26" />
        Customer gateway
      </h1>
      <div className="session-fields">
        <div className="token-field" data-state={state}>
          <label htmlFor={id}>Access token</label>
          <input
            id={id}
            name="token"
            type={shown ? 'text' : 'password'}
            value={token}
            placeholder="Paste a token to read your own cases and orders"
            aria-describedby={hintId}
            aria-invalid={state === 'odd'}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => onToken(tidyToken(event.target.value))}
          />
          {token !== '' && (
            <>
              <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>
                {shown ? 'Hide' : 'Show'}
              </button>
              <button type="button" onClick={() => onToken('')}>Clear</button>
            </>
          )}
        </div>
        <div className="language-field">
          <label htmlFor={languageId}>Language</label>
          <select id={languageId} name="language" value={language} onChange={(event) => onLanguage(event.target.value)}>
            {Object.entries(LANGUAGES).map(([tag, name]) => <option key={tag} value={tag}>{name}</option>)}
          </select>
        </div>
      </div>
      <p id={hintId} className="token-hint" data-state={state} role="status">
        <Hint state={state} />
      </p>
    </header>
  );
}

function Hint({ state }) {
  if (state === 'given') return 'Sent as Authorization: Bearer with every request. Forgotten when this browser tab closes.';
  if (state === 'odd') return 'This does not look like a token, so it is not sent: it holds a space or another character that no token has.';
  return (
    <>
      No token yet? Run <code>python -m gateway token &lt;email&gt;</code>, or copy one that <code>make serve</code> printed.
      Without one you see news, frequent questions and the support desk.
    </>
  );
}
