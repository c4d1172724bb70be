/** Good texts to begin with: what the toolkit prints, what lies in test/golden and test/recorded. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { printSettings } from '../../src/settings/settings-yaml.ts';
import { repository, settingsFor } from '../support.ts';

export const golden = (name: string): string => readFileSync(join(repository, 'test/golden', name), 'utf8');

export function recorded(directory: string): string[] {
  const place = join(repository, 'test/recorded', directory);
  return readdirSync(place).map((name) => readFileSync(join(place, name), 'utf8'));
}

export const goldenPolicy = (generation: 2 | 3): ReadonlyMap<string, string> => {
  const directory = join(repository, `test/golden/policy-${generation}`);
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(directory.length + 1), readFileSync(path, 'utf8')];
    }),
  );
};

export const settings = settingsFor();
export const settings2 = settingsFor({ cfengine_generation: 2 });
export const settingsFile = printSettings(settings);

export const publicKey = `-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAp1k0Y2nTgQ+1k6vFJ3g1d2PZ3Qd9rWqg5w1XxY3o8Yw0ZqJm6c5q
AQAB
-----END RSA PUBLIC KEY-----
`;

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const digest = 'a3'.repeat(32);
