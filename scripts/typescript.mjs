/** For `node --import`: runs TypeScript, in which an import of a .pl or .sh file is its text, as in a bundle. */
import 'tsx';
import { register } from 'node:module';

const hook = `
import { readFileSync } from 'node:fs';
export const load = (url, context, next) =>
  /\\.(pl|sh)$/.test(url)
    ? { format: 'module', shortCircuit: true, source: 'export default ' + JSON.stringify(readFileSync(new URL(url), 'utf8')) }
    : next(url, context);
`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
