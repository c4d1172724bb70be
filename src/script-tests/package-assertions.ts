/** About a package directory, without execution. Pure. */

import { manifestName, type RenderedFile, setKeyword, setNameOf, setPartOf, sha256 } from '../contract/package-directory.ts';
import { expandVariables } from '../lab/machines/lab-spec.ts';
import { manifestOf, setOf, setText } from '../render/package.ts';
import { settingsDigest } from '../settings/settings.ts';
import type { Assertion } from './report.ts';
import type { TestedPackage } from './workshop.ts';

export const packageGroup = 'package';

export type SyntaxCheck = ReadonlyMap<string, string>;

function namedScripts({ content }: TestedPackage): readonly { readonly keyword: string; readonly path: string }[] {
  const expand = (text: string): string => expandVariables(text, { SG_PACKAGE: content.name });
  const command = (text: string): string => expand(text.split(/\s+/)[0] ?? '');
  return [
    ...content.preScripts.map((path) => ({ keyword: 'external_pre_script', path: expand(path) })),
    ...content.scripts.map((path) => ({ keyword: 'external_script', path: expand(path) })),
    ...content.services.map((service) => ({ keyword: 'service_cmd', path: command(service.command) })),
  ];
}

export function launchersOf({ files }: TestedPackage): readonly RenderedFile[] {
  return files.filter((file) => file.name.endsWith('.sh'));
}

type Check = readonly [says: string, wrong: (tested: TestedPackage, syntax: SyntaxCheck) => readonly string[]];

const checks: readonly Check[] = [
  [
    'the package file names one first script, one script and one service',
    ({ content }) =>
      (
        [
          ['external_pre_script', content.preScripts],
          ['external_script', content.scripts],
          ['service_cmd', content.services],
        ] as const
      )
        .filter(([, list]) => list.length !== 1)
        .map(([keyword, list]) => `${keyword} occurs ${list.length} times`),
  ],
  [
    'Serviceguard calls scripts by absolute paths',
    (tested) =>
      namedScripts(tested)
        .filter(({ path }) => !path.startsWith('/'))
        .map(({ keyword, path }) => `${keyword} ${path}`),
  ],
  [
    'each script that Serviceguard calls is a file of the package directory',
    (tested) => {
      const directory = expandVariables(tested.settings.packageDirectory);
      const known = new Set(tested.files.map((file) => `${directory}/${file.name}`));
      return namedScripts(tested)
        .filter(({ path }) => !known.has(path))
        .map(({ keyword, path }) => `${keyword} ${path}`);
    },
  ],
  [
    'the service is the monitor',
    ({ content }) => content.services.filter(({ command }) => !/\smonitor$/.test(command)).map(({ command }) => command),
  ],
  [
    'launchers are executable for every user, and writable for root only',
    (tested) =>
      launchersOf(tested)
        .filter((file) => (file.mode & 0o777) !== 0o755)
        .map((file) => `${file.name} has mode ${file.mode.toString(8)}`),
  ],
  [
    'no file is writable for others',
    ({ files }) =>
      files.filter((file) => (file.mode & 0o022) !== 0).map((file) => `${file.name} has mode ${file.mode.toString(8)}`),
  ],
  [
    'launchers name an interpreter by its absolute path',
    (tested) =>
      launchersOf(tested)
        .filter((file) => !/^#!\/(usr\/)?bin\/\S+/.test(file.text))
        .map((file) => `${file.name} begins with ${file.text.split('\n')[0]}`),
  ],
  [
    'launchers are valid shell',
    (_, syntax) => [...syntax].filter(([, said]) => said !== '').map(([name, said]) => `${name}: ${said}`),
  ],
  [
    'every file of the manifest exists and is unchanged',
    (tested) =>
      manifestFiles(tested).flatMap(([name, digest]) => {
        const text = setText(tested.files, name);
        if (text === null) return [`${name} is missing`];
        return sha256(text) === digest ? [] : [`${name} differs`];
      }),
  ],
  [
    'the manifest names every script and the settings',
    (tested) => {
      const named = new Set(manifestFiles(tested).map(([name]) => name));
      return tested.files
        .flatMap(({ name }) => setPartOf(name)?.name ?? (setOf(tested.files) === null ? name : []))
        .filter((name) => /\.(sh|cjs)$|^settings\.json$/.test(name) && !named.has(name));
    },
  ],
  [
    'the package file names the set of these files',
    ({ content, files }) => {
      const found = content.environment.find(({ name }) => name.toLowerCase() === 'csync_set_digest')?.value;
      const set = setOf(files) ?? undefined;
      const isWhole = set === undefined || set === setNameOf(manifestOf(files).files);
      if (found === set && isWhole) return [];
      return [
        `${setKeyword} is ${found ?? 'missing'}, but the files are those of ${isWhole ? (set ?? 'version 0.1.0') : 'another set'}`,
      ];
    },
  ],
  [
    'the package file has the digest of settings.json',
    ({ content, settings }) => {
      const found = content.environment.find(({ name }) => name.toLowerCase() === 'csync_settings_digest')?.value;
      return found === settingsDigest(settings) ? [] : [`pev_csync_settings_digest is ${found?.slice(0, 12) ?? 'missing'}`];
    },
  ],
  [
    'no private key is in the package directory',
    ({ files }) =>
      files.filter((file) => /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}/.test(file.text)).map((file) => file.name),
  ],
];

function manifestFiles({ files }: TestedPackage): [string, string][] {
  const list = Object.entries(manifestOf(files).files);
  return list.length === 0 ? [[manifestName, '']] : list;
}

export function packageAssertionNames(): readonly string[] {
  return checks.map(([says]) => `${packageGroup}: ${says}`);
}

export function packageAssertions(tested: TestedPackage, syntax: SyntaxCheck): readonly Assertion[] {
  return checks.map(([says, wrong]) => {
    const found = wrong(tested, syntax);
    return {
      name: `${packageGroup}: ${says}`,
      result: found.length === 0 ? 'ok' : 'failed',
      seen: found.join('; ') || 'yes',
    };
  });
}
