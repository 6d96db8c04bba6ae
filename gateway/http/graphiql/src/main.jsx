// Puts the page together: the bar with token and language above, GraphiQL below.
import './workers.js';
import '@graphiql/react/font/roboto.css';
import '@graphiql/react/font/fira-code.css';
import './page.css';
import { createRoot } from 'react-dom/client';
import { useEffect, useMemo, useState } from 'react';
import { GraphiQL } from 'graphiql';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { EXAMPLES } from './examples.js';
import { EXAMPLES_PLUGIN } from './ExamplesPanel.jsx';
import { SessionBar } from './SessionBar.jsx';
import { send, storedLanguage, storedToken, storeLanguage, storeToken } from './session.js';

const PLUGINS = [EXAMPLES_PLUGIN, HISTORY_PLUGIN];
const FIRST_TABS = [{ query: EXAMPLES[0].query, variables: EXAMPLES[0].variables }];
const PAUSE_MS = 500;

/** The value once it has been left alone for a moment, so that the schema is not read again for every letter. */
function useSettled(value) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

function Page() {
  const [token, setToken] = useState(storedToken);
  const [language, setLanguage] = useState(storedLanguage);
  const settledToken = useSettled(token);
  // Another person or language, another schema to read: GraphiQL does so when it is given a new function.
  const fetcher = useMemo(() => (...request) => send(...request), [settledToken, language]);

  const changeToken = (changed) => {
    storeToken(changed);
    setToken(changed);
  };
  const changeLanguage = (changed) => {
    storeLanguage(changed);
    setLanguage(changed);
  };

  return (
    <>
      <SessionBar token={token} onToken={changeToken} language={language} onLanguage={changeLanguage} />
      <main>
        <GraphiQL
          fetcher={fetcher}
          plugins={PLUGINS}
          visiblePlugin={EXAMPLES_PLUGIN}
          defaultTabs={FIRST_TABS}
          defaultEditorToolsVisibility="variables"
          shouldPersistHeaders={false}
          inputValueDeprecation
          schemaDescription
        >
          <GraphiQL.Logo>GraphiQL</GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

createRoot(document.getElementById('page')).render(<Page />);
