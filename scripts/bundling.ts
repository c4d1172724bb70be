/** What each bundle for Node.js has in common, those of dist/ and those of the benchmarks. */
import type { BuildOptions } from 'esbuild';

export const bundling: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  legalComments: 'none',
  loader: { '.pl': 'text', '.sh': 'text' },
};
