/** What administrators write: settings, package files, templates, manifests they may have touched, cfengine's configuration. */
import { isDeepStrictEqual } from 'node:util';
import { newerIn } from '../../../src/base/version.ts';
import { withConfigured } from '../../../src/cluster/hosts/boot-start.ts';
import { planPolicyTree, staleMemberMentions } from '../../../src/cluster/policy/tree.ts';
import { isKnownBeside, parseApplied, readManifest, setNamedIn } from '../../../src/contract/package-directory.ts';
import { readApplied } from '../../../src/engine/serviceguard/definition.ts';
import { layOver } from '../../../src/engine/serviceguard/package-text.ts';
import { joinAugments } from '../../../src/render/mpf.ts';
import { withMembers, withRuntime } from '../../../src/render/package.ts';
import { isOurs, type PolicyFile } from '../../../src/render/policy.ts';
import { fillTemplate } from '../../../src/render/template.ts';
import { chosen } from '../../../src/script-tests/report.ts';
import { parseClusterVariables } from '../../../src/serviceguard/cluster-variables.ts';
import { checkPackageFile } from '../../../src/serviceguard/package-check.ts';
import { packageContent } from '../../../src/serviceguard/package-content.ts';
import {
  allValues,
  lastValue,
  type PackageFile,
  parsePackageFile,
  printPackageFile,
} from '../../../src/serviceguard/package-file.ts';
import { makePackageTemplate } from '../../../src/serviceguard/package-template.ts';
import { parseMountOptions } from '../../../src/settings/mount-options.ts';
import { parseLayerSchedule, parseListenAddress, parseLocalRestart } from '../../../src/settings/rules.ts';
import { parseSettingsJson, settingsFields, settingsJson } from '../../../src/settings/settings.ts';
import { parseSettings, printSettings, readGiven, readTyped, withList, withValue } from '../../../src/settings/settings-yaml.ts';
import { settingsTable } from '../../../src/settings/table.ts';
import { answersGiven, readYesNo, typedAnswer } from '../../../src/wizard/answers.ts';
import { golden, goldenPolicy, settings, settings2, settingsFile } from '../samples.ts';
import { type FuzzedParser, hold } from '../trial.ts';

const keys = settingsFields.map((field) => settingsTable[field].key);
const policies = [goldenPolicy(3), goldenPolicy(2)];
const rendered = policies.map((policy) =>
  [...policy].map(
    ([name, text]): PolicyFile => ({ name, text, mode: 0o600, owner: /^site/.test(name) ? 'administrator' : 'toolkit' }),
  ),
);

/** What is read of a package file is what stands in its print, line numbers apart. */
function samePrinted(file: PackageFile): void {
  const bare = ({ name, lines }: PackageFile) => ({ name, lines: lines.map(({ keyword, value }) => [keyword, value]) });
  const again = parsePackageFile(printPackageFile(file), 'again');
  hold('a printed package file reads as the same', again.ok && isDeepStrictEqual(bare(again.value), bare(file)));
}

const packageFile = (text: string): unknown => {
  const applied = readApplied(text);
  const read = parsePackageFile(text, 'csync.conf');
  if (!read.ok) {
    hold('a refused file has a problem', read.problems.length > 0);
    return read;
  }
  samePrinted(read.value);
  const problems = checkPackageFile(read.value, 'csync.conf');
  if (!problems.some(({ severity }) => severity === 'error')) packageContent(read.value);
  if (text.length % 8 === 0) makePackageTemplate({ modules: [], name: null, existing: read.value });
  return [read, applied, problems, allValues(read.value, 'node_name'), lastValue(read.value, 'package_name')];
};

export const administrators: readonly FuzzedParser[] = [
  {
    name: 'csync.yaml',
    of: 'administrator',
    samples: [
      settingsFile.replace(/^#.*\n/gm, ''),
      'members: [m1, m2]\nmount_point: &a /csync\npolicy_directory: *a\n',
      'members:\n  - m1\n  - m2\nlog_level: 0\n',
    ],
    words: keys,
    parse: (text) => {
      const read = parseSettings(text, 'csync.yaml');
      readGiven(text, 'answers.yaml');
      if (read.ok) {
        const again = parseSettings(printSettings(read.value), 'again');
        hold('printed settings read as the same', again.ok && isDeepStrictEqual(again.value, read.value));
      } else hold('a refused file has a problem', read.problems.length > 0);
      return read.problems;
    },
  },
  {
    name: 'csync.yaml, edited in place',
    of: 'administrator',
    samples: ['package_style: legacy\nmembers: [m1, m2]\n', 'members:\n  - m1\n  - m2\npackage_style: "modular"\n'],
    parse: (text) => {
      const edited = withValue(text, 'package_style', 'modular');
      return [edited?.line, withList(text, 'members', ['m1', 'm3'])];
    },
  },
  {
    name: 'settings.json',
    of: 'member, administrator',
    samples: [settingsJson(settings), settingsJson(settings2)],
    parse: (text) => {
      const read = parseSettingsJson(text);
      if (typeof read === 'string') return read;
      hold('printed settings read as the same', isDeepStrictEqual(parseSettingsJson(settingsJson(read)), read));
      return read;
    },
  },
  {
    name: 'monitor settings',
    of: 'administrator',
    samples: ['every 5 s, limit 3 s, 2 in a row, fail', 'off', 'once in 60 min', 'none', '127.0.0.1:9308', '[::1]:9308'],
    parse: (text) => [parseLayerSchedule(text), parseLocalRestart(text), parseListenAddress(text)],
  },
  {
    name: 'answers of the wizard',
    of: 'administrator',
    samples: ['m1 m2, m3', 'yes', '5308', '10.9.0.0/24', 'volume_group=vg_csync', '/csync'],
    words: keys,
    parse: (text) => {
      for (const field of settingsFields) readTyped(field, text);
      return [answersGiven(null, text.split('\n').slice(0, 50)), typedAnswer('members', text, null), readYesNo(text, true)];
    },
  },
  {
    name: 'package file',
    of: 'administrator, cmgetconf',
    samples: [golden('csync/csync.conf'), golden('csync-over-cmmakepkg.conf'), golden('csync-legacy/csync.conf')],
    parse: packageFile,
  },
  {
    name: 'output of cmmakepkg, laid over',
    of: 'Serviceguard',
    samples: [golden('csync-over-cmmakepkg.conf'), golden('csync/csync.conf')],
    parse: (text) => [layOver(text, golden('csync/csync.conf')), layOver(golden('csync/csync.conf'), text)],
  },
  {
    name: 'template',
    of: 'administrator',
    samples: ['# {{name}}\nrun {{path}} and {{ name }}\n', '${{x:-${y}}}\n{{name}}{{path}}'],
    words: ['{{name}}', '{{path}}', '{{', '}}'],
    parse: (text) => {
      const filled = fillTemplate({ file: 'a.tpl', text }, { name: '{{path}}$&', path: '/x' }, []);
      // Every value is put in once and never read again.
      if (filled.ok) hold('a value is not filled again', !text.includes('{{name}}') || filled.value.includes('{{path}}$&'));
      return filled.problems.length;
    },
  },
  {
    name: 'manifest.json',
    of: 'member, administrator',
    samples: [
      golden('csync/set/manifest.json'),
      '{"files":{},"edited":["csync.sh"],"runtime":{"digest":"a","version":"v20"}}',
      '0123456789abcdef /csync -',
    ],
    words: ['"files"', '"edited"', '"runtime"', 'null', '5', '[]', '{', '}', ':', ','],
    parse: (text) => {
      newerIn(text);
      const manifest = readManifest(text);
      isKnownBeside('csync.sh', 'a', [manifest]);
      parseApplied(text);
      setNamedIn(text);
      const file = (name: string, content: string) => ({ name, mode: 0o644, text: content });
      const set = 'sets/0123456789abcdef';
      const inside = [file(`${set}/settings.json`, settingsJson(settings)), file(`${set}/manifest.json`, text)];
      const files = [file('csync.conf', text), ...inside];
      withRuntime(files, null);
      // The dear half, now and then.
      if (text.length % 16 === 0) withMembers(files, ['m1', 'm4']);
      return [manifest.files, manifest.runtime];
    },
  },
  {
    name: 'policy that is on the master',
    of: 'administrator',
    samples: policies.flatMap((policy) => [...policy.values()]),
    parse: (text) => {
      const theirs = text.replace(/^#.*\n/gm, '');
      // One file of either generation; which one, the text decides.
      for (const files of rendered) {
        const { name } = files[text.length % files.length] as PolicyFile;
        planPolicyTree(files.slice(text.length % files.length, (text.length % files.length) + 1), new Map([[name, theirs]]));
        // An exported template is edited, too.
        planPolicyTree([{ name, text, mode: 0o600, owner: 'toolkit' }], new Map([[name, 'control:\n']]));
      }
      return [isOurs(text), staleMemberMentions(new Map([['site.cf', text]]), 'm3.example.com')];
    },
  },
  {
    name: 'def.json of the Masterfiles Policy Framework',
    of: 'administrator',
    samples: [
      '{ "inputs": ["ours.cf"], "vars": { "acl": ["10.1.0.0/16"], "trustkeysfrom": ["10.1.0.1"] }, "classes": { "x": ["any"] } }',
      '{ "variables": { "default:def.acl": { "value": ["10.1.0.0/16"] } } }',
    ],
    parse: (text) => {
      const joined = joinAugments(text);
      hold('joining it again changes nothing', !joined.ok || isDeepStrictEqual(joinAugments(joined.text), joined));
      return joined;
    },
  },
  {
    name: '/etc/rc.config.d/cfservd',
    of: 'administrator',
    samples: ['# cfengine\nCSYNC_CONFIGURED=0 # not yet\n', 'export CSYNC_CONFIGURED="1"\nOTHER=2\n'],
    parse: (text) => {
      const on = withConfigured(text, '1');
      hold('setting it again changes nothing', withConfigured(on, '1') === on);
      return on;
    },
  },
  {
    name: 'mount options',
    of: 'administrator',
    samples: ['-o rw,noatime', 'rw,noatime', '-r --options=data=ordered -n'],
    parse: (text) => {
      const read = parseMountOptions(text);
      hold('what was read reads as the same', read === null || isDeepStrictEqual(parseMountOptions(read.text), read));
      return read;
    },
  },
  {
    name: 'cmcluster.conf',
    of: 'administrator',
    samples: ['PATH=/bin\0SGROOT=/opt/cmcluster\0SGCONF=/opt/cmcluster/conf\0'],
    parse: parseClusterVariables,
  },
  {
    name: 'patterns of csync conform',
    of: 'administrator',
    samples: ['start*mount', 'halt', '*'],
    parse: (text) => chosen([text], ['start: mounts it', 'halt: lets go'])('start: mounts it'),
  },
];
