// The panel of saved operations: one click puts an example into the editor.
import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { EXAMPLES, GROUPS } from './examples.js';

const sameText = (a, b) => (a ?? '').trim() === (b ?? '').trim();

function ExamplesIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d="M5 4h11l3 3v13H5z" />
      <path d="M9 10h6M9 13.5h6M9 17h3.5" />
    </svg>
  );
}

function ExamplesPanel() {
  const { addTab, updateActiveTabValues } = useGraphiQLActions();
  const { queryEditor, variableEditor, responseEditor, tabs, activeTabIndex } = useGraphiQL(
    pick('queryEditor', 'variableEditor', 'responseEditor', 'tabs', 'activeTabIndex'),
  );
  const current = EXAMPLES.find((each) => sameText(each.query, tabs[activeTabIndex]?.query));

  function open(example) {
    // What somebody wrote themselves stays in its tab; an untouched example gives way to the next.
    const written = queryEditor.getValue();
    const replaceable = written.trim() === '' || EXAMPLES.some((each) => sameText(each.query, written));
    if (!replaceable) addTab();
    queryEditor.setValue(example.query);
    variableEditor?.setValue(example.variables);
    responseEditor?.setValue('');
    updateActiveTabValues({ query: example.query, variables: example.variables, response: null });
    queryEditor.setScrollTop(0);
    queryEditor.focus();
  }

  return (
    <section aria-label="Examples" className="examples">
      <h2>Examples</h2>
      <p>Choose one and run it with Ctrl-Enter.</p>
      {GROUPS.map((group) => (
        <section key={group} aria-label={group}>
          <h3>{group}</h3>
          <ul>
            {EXAMPLES.filter((each) => each.group === group).map((each) => (
              <li key={each.id}>
                <button type="button" data-example={each.id} aria-current={each === current} onClick={() => open(each)}>
                  {each.label}
                  {each.open && <small>no token needed</small>}
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

export const EXAMPLES_PLUGIN = { title: 'Examples', icon: ExamplesIcon, content: ExamplesPanel };
