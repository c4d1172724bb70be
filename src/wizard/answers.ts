/**
 * Answers, whoever gave them: options, a file, the terminal, or nobody because looking was enough. Turns them into
 * settings or into all that is wrong with them. Pure; every check is the settings table's own or one of findings.ts.
 */
import type { Checked, Problem } from '../base/problem.ts';
import type { ProblemCode } from '../base/problem-codes.ts';
import { columns } from '../base/tables.ts';
import { oldestNode } from '../base/version.ts';
import { type Field, type Settings, settingsFields } from '../settings/settings.ts';
import { completeSettings, fieldOf, type Given, isYesNo, readGiven, readTyped } from '../settings/settings-yaml.ts';
import { type Above, settingsTable } from '../settings/table.ts';
import { clusterOf, type Findings, judgeName, membersOutside, ownerOf, sharedSubnets } from './findings.ts';
import { type Offer, offerFor, questionOrder } from './offers.ts';

export interface Answer extends Given {
  /** Who said so, for people: --set, a file, you, or what was looked at. */
  readonly from: string;
}
export type Answers = ReadonlyMap<Field, Answer>;

/** What was said beforehand: `--set key=value` beats the file. Unknown keys and bad values are all told at once. */
export function answersGiven(file: { name: string; text: string } | null, sets: readonly string[]): Checked<Answers> {
  const answers = new Map<Field, Answer>();
  const problems: Problem[] = [];
  if (file !== null) {
    const read = readGiven(file.text, file.name);
    problems.push(...read.problems);
    for (const [field, given] of read.given) answers.set(field, { ...given, from: file.name });
  }
  const seen = new Map<Field, string>();
  for (const text of sets) {
    const equal = text.indexOf('=');
    const key = equal < 0 ? text : text.slice(0, equal).trim();
    const place = { file: `--set ${key}` };
    const field = fieldOf(key, place);
    if (typeof field !== 'string') problems.push(field);
    else if (equal < 0 || seen.has(field)) {
      const what = equal < 0 ? `--set ${text} says no value` : `${key} is set twice: ${seen.get(field)} and ${text}`;
      problems.push({ code: 'usage', severity: 'error', text: what, remedy: `say it once, as --set ${key}=value` });
    } else {
      seen.set(field, text);
      answers.set(field, { value: readTyped(field, text.slice(equal + 1).trim()), place, from: '--set' });
    }
  }
  problems.push(...problemsAt(answers, [...answers.keys()]));
  return problems.length === 0 ? { ok: true, value: answers, problems } : { ok: false, problems };
}

/** What the rows of the table, and rows together, have against the answers for these fields. */
export function problemsAt(answers: Answers, fields: readonly Field[]): Problem[] {
  const places = fields.map((field) => answers.get(field)?.place);
  const checked = completeSettings(answers, 'csync.yaml');
  return checked.problems.filter(({ place }) => place !== undefined && places.includes(place));
}

/** An answer typed at the terminal; an empty line takes the offer. null: nothing was offered, so nothing was said. */
export function typedAnswer(field: Field, line: string, offer: Offer | null): Answer | null {
  const place = { file: `the answer for ${settingsTable[field].key}` };
  const text = line.trim();
  if (text !== '') return { value: readTyped(field, text), place, from: 'you' };
  return offer === null ? null : { value: offer.value, place, from: offer.from };
}

/** An offer taken without a question; null when that is the administrator's to decide, or when nothing is known. */
export function takenOffer(field: Field, offer: Offer | null, takeGuesses: boolean): Answer | null {
  if (offer === null || !(offer.certain || takeGuesses)) return null;
  return { value: offer.value, place: { file: `${settingsTable[field].key}, found by ${offer.from}` }, from: offer.from };
}

/** Answers by field, for offers that depend on them. */
export function aboveOf(answers: Answers): Above {
  return Object.fromEntries([...answers].map(([field, { value }]) => [field, value]));
}

/** `Mount point? [/csync]:` and `Start automatically? (y/n) [y]:`, as DSAU's wizards ask [dsau-csync.md 2.5]. */
export function promptFor(field: Field, offer: Offer | null): string {
  const { question } = settingsTable[field];
  if (!isYesNo(field)) return `${question} [${offer === null ? '' : valueText(offer.value)}]: `;
  return `${question} (y/n) [${offer === null ? '' : yesNoText(offer.value)}]: `;
}

const yesNoText = (value: unknown): string => (value === true || value === 'yes' ? 'y' : 'n');

export function valueText(value: unknown): string {
  return Array.isArray(value) ? value.join(' ') : String(value);
}

/** y, yes, n, no or an empty line for the default; null for anything else. */
export function readYesNo(line: string, fallback: boolean): boolean | null {
  const text = line.trim().toLowerCase();
  if (text === '') return fallback;
  if (/^y(es)?$/.test(text)) return true;
  return /^no?$/.test(text) ? false : null;
}

/** A problem for each setting that nobody said and looking does not settle, with how to say it. */
export function missingAnswers(answers: Answers, findings: Findings): Problem[] {
  return questionOrder.important
    .filter((field) => !answers.has(field))
    .map((field) => {
      const { key, question } = settingsTable[field];
      const offer = offerFor(field, findings, aboveOf(answers));
      const found = offer === null ? '' : ` Found by ${offer.from}: ${valueText(offer.value)}.`;
      const take = offer === null ? '' : '; --yes takes what was found';
      return {
        code: 'settings-missing',
        severity: 'error',
        text: `"${key}" is missing: ${question}${found}`,
        remedy: `--set ${key}=${offer === null ? '...' : valueText(offer.value).replaceAll(' ', ',')}, or a line "${key}: ..." in the file of --answers${take}`,
      };
    });
}

/** The settings the answers make, checked against what was found: all problems at once. */
export function settingsOf(answers: Answers, findings: Findings): Checked<Settings> {
  const checked = completeSettings(answers, 'csync.yaml');
  const problems = [...checked.problems, ...conflictsWith(answers, findings)];
  return checked.ok && problems.length === 0 ? checked : { ok: false, problems };
}

/** What contradicts what was found. Each problem stands at the answer that would have to change. */
export function conflictsWith(answers: Answers, findings: Findings): Problem[] {
  const { packageName, packageDnsName: name, packageAddress: address, packageSubnet: subnet, members } = aboveOf(answers);
  const at = (field: Field, problems: readonly Problem[]): Problem[] =>
    problems.map((problem) => ({ ...problem, place: answers.get(field)?.place }));
  const list = Array.isArray(members) ? members.map(String) : [];
  const known = typeof address === 'string' ? address : null;
  return [
    ...at('packageDnsName', typeof name === 'string' ? judgeName(findings, name, known) : []),
    ...at('packageAddress', known === null ? [] : takenAddress(findings, known, packageName)),
    ...at('packageSubnet', typeof subnet === 'string' ? unreachable(findings, subnet, list) : []),
  ];
}

/** An address that a member has for itself. Where the package exists it may well have its own up. */
function takenAddress(findings: Findings, address: string, packageName: unknown): Problem[] {
  const owner = ownerOf(findings, address);
  if (owner === null || clusterOf(findings)?.packages.includes(String(packageName))) return [];
  const text = `${address} is ${owner}'s own address already`;
  const remedy = 'take an address that no host has; the cluster adds it where the package runs';
  return [{ code: 'settings-address-taken', severity: 'error', text, remedy }];
}

function unreachable(findings: Findings, subnet: string, members: readonly string[]): Problem[] {
  const outside = membersOutside(findings, subnet, members);
  if (outside.length === 0) return [];
  const shared = sharedSubnets(findings);
  const which = shared.length === 0 ? '' : ` (${shared.join(', ')})`;
  return [
    {
      code: 'settings-subnet-not-everywhere',
      severity: 'error',
      text: `${outside.join(', ')} cannot take over the address: no interface there is in ${subnet}`,
      remedy: `choose an address in a subnet of every member${which}, or leave these members out`,
    },
  ];
}

/** What the engine's own check would find out later: members that lack what the settings name. They need not be mended yet. */
export function warningsOf(settings: Settings, findings: Findings): Problem[] {
  const { cfengineGeneration, cfengineBinDirectory, nodePath, volumeGroup } = settings;
  const warn = (member: string, code: ProblemCode, text: string, remedy: string): Problem => ({
    code,
    severity: 'warning',
    text,
    remedy,
    member,
  });
  return settings.members.flatMap((member) => {
    const look = findings.members.get(member);
    if (look === undefined) {
      const why = findings.unseen.get(member) ?? 'the cluster does not name it';
      return [
        warn(
          member,
          'here-member-unseen',
          `was not looked at: ${why}`,
          `${findings.engine.words.checker} looks at it; ssh to it lets csync init look, too`,
        ),
      ];
    }
    const cfengine = look.cfengine.some(
      (one) => one.generation === cfengineGeneration && one.binDirectory === cfengineBinDirectory,
    );
    const group = look.volumeGroups?.some(({ name }) => name === volumeGroup) ?? true;
    return [
      ...(cfengine
        ? []
        : [
            warn(
              member,
              'here-cfengine-missing',
              `no cfengine ${cfengineGeneration} in ${cfengineBinDirectory}`,
              'install it there as well',
            ),
          ]),
      ...(look.nodePaths.includes(nodePath)
        ? []
        : [
            warn(
              member,
              'here-node-missing',
              `no Node.js ${oldestNode} or newer at ${nodePath}`,
              'install it there as well, or carry one along: csync apply --with-runtime',
            ),
          ]),
      ...(group
        ? []
        : [warn(member, 'here-volume-group-missing', `vgs does not show ${volumeGroup}`, 'give the member access to its disks')]),
    ];
  });
}

/** Fields whose answers the problems stand at. */
export function fieldsOf(problems: readonly Problem[], answers: Answers): Field[] {
  const places = problems.map(({ place }) => place);
  return settingsFields.filter((field) => {
    const place = answers.get(field)?.place;
    return place !== undefined && places.includes(place);
  });
}

/** What will be written, and who said so: everything that was decided, and a count of what has its default. */
export function summaryLines(settings: Settings, answers: Answers): string[] {
  const decided = settingsFields.filter((field) => answers.has(field) && answers.get(field)?.from !== 'default');
  const rows = decided.map((field) => [settingsTable[field].key, `${valueText(settings[field])}  (${answers.get(field)?.from})`]);
  return [...columns(rows, { indent: 2 }), `  ${settingsFields.length - decided.length} more have their defaults.`];
}
