// Reads ../examples into a list: the first comment line of a file is its title, "Group: label".
const operations = import.meta.glob('../examples/*.graphql', { eager: true, query: '?raw', import: 'default' });
const variables = import.meta.glob('../examples/*.json', { eager: true, query: '?raw', import: 'default' });

const TITLE = /^# ([^:\n]+): (.+)\n/;

function example(path) {
  const query = operations[path];
  const title = TITLE.exec(query);
  if (!title) throw new Error(`${path} must open with a line "# Group: label"`);
  return {
    id: path.slice(path.lastIndexOf('/') + 1, -'.graphql'.length),
    group: title[1],
    label: title[2][0].toUpperCase() + title[2].slice(1),
    open: query.includes('# No token needed.'),
    query: query.trimEnd(),
    variables: (variables[path.replace(/graphql$/, 'json')] ?? '').trimEnd(),
  };
}

export const EXAMPLES = Object.keys(operations).sort().map(example);
export const GROUPS = [...new Set(EXAMPLES.map((each) => each.group))];
