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
import { fetcherFor, storedLanguage, storedToken, storeLanguage, storeToken } from './session.js';

const PLUGINS = [EXAMPLES_PLUGIN, HISTORY_PLUGIN];
const FIRST_TABS = [{ query: EXAMPLES[0].query, variables: EXAMPLES[0].variables }];
const PAUSE_MS = 500;

/** The value once it has been left alone for a moment: each new fetcher reads the schema again. */
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
  useEffect(() => storeToken(token), [token]);
  useEffect(() => storeLanguage(language), [language]);
  const fetcher = useMemo(() => fetcherFor(settledToken, language), [settledToken, language]);

  return (
    <>
      <SessionBar token={token} onToken={setToken} language={language} onLanguage={setLanguage} />
      <main>
        <GraphiQL
          fetcher={fetcher}
          plugins={PLUGINS}
          visiblePlugin={EXAMPLES_PLUGIN}
          defaultTabs={FIRST_TABS}
          defaultEditorToolsVisibility="variables"
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
