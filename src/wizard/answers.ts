/** From answers to settings, or to all problems. Pure. */

import type { ProblemCode } from '../base/codes/problem-codes.ts';
import { type Checked, errorProblem, type Problem } from '../base/problem.ts';
import { columns } from '../base/tables.ts';
import { oldestNode } from '../base/version.ts';
import type { Above } from '../settings/row.ts';
import { type Field, type Settings, settingsFields } from '../settings/settings.ts';
import { completeSettings, fieldOf, type Given, isYesNo, readGiven, readTyped } from '../settings/settings-yaml.ts';
import { settingsTable } from '../settings/table.ts';
import { clusterOf, type Findings, judgeName, membersOutside, ownerOf, sharedSubnets } from './findings.ts';
import { type Offer, offerFor, questionOrder } from './offers.ts';

export interface Answer extends Given {
  readonly from: string;
}
export type Answers = ReadonlyMap<Field, Answer>;

/** `--set key=value` overrides the file. Returns all problems. */
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
      const what = equal < 0 ? `--set ${text} has no value` : `${key} is set twice: ${seen.get(field)} and ${text}`;
      problems.push(errorProblem('usage', what, `use --set ${key}=value once`));
    } else {
      seen.set(field, text);
      answers.set(field, { value: readTyped(field, text.slice(equal + 1).trim()), place, from: '--set' });
    }
  }
  problems.push(...problemsAt(answers, [...answers.keys()]));
  return problems.length === 0 ? { ok: true, value: answers, problems } : { ok: false, problems };
}

/** Alone and together. */
export function problemsAt(answers: Answers, fields: readonly Field[]): Problem[] {
  const places = fields.map((field) => answers.get(field)?.place);
  const checked = completeSettings(answers, 'csync.yaml');
  return checked.problems.filter(({ place }) => place !== undefined && places.includes(place));
}

/** An empty line takes the offer. null: neither. */
export function typedAnswer(field: Field, line: string, offer: Offer | null): Answer | null {
  const place = { file: `the answer for ${settingsTable[field].key}` };
  const text = line.trim();
  if (text !== '') return { value: readTyped(field, text), place, from: 'you' };
  return offer === null ? null : { value: offer.value, place, from: offer.from };
}

/** Without a question. null: the administrator decides, or nothing was found. */
export function takenOffer(field: Field, offer: Offer | null, takeGuesses: boolean): Answer | null {
  if (offer === null || !(offer.certain || takeGuesses)) return null;
  return { value: offer.value, place: { file: `${settingsTable[field].key}, found by ${offer.from}` }, from: offer.from };
}

export function aboveOf(answers: Answers): Above {
  return Object.fromEntries([...answers].map(([field, { value }]) => [field, value]));
}

/** `Mount point? [/csync]:`, `Start automatically? (y/n) [y]:`, as DSAU's [dsau-csync.md 2.5]. */
export function promptFor(field: Field, offer: Offer | null): string {
  const { question } = settingsTable[field];
  if (!isYesNo(field)) return `${question} [${offer === null ? '' : valueText(offer.value)}]: `;
  return `${question} (y/n) [${offer === null ? '' : yesNoText(offer.value)}]: `;
}

const yesNoText = (value: unknown): string => (value === true || value === 'yes' ? 'y' : 'n');

export function valueText(value: unknown): string {
  return Array.isArray(value) ? value.join(' ') : String(value);
}

/** y, yes, n, no, empty: the default. null: another answer. */
export function readYesNo(line: string, fallback: boolean): boolean | null {
  const text = line.trim().toLowerCase();
  if (text === '') return fallback;
  if (/^y(es)?$/.test(text)) return true;
  return /^no?$/.test(text) ? false : null;
}

/** With the option that sets each. */
export function missingAnswers(answers: Answers, findings: Findings): Problem[] {
  return questionOrder.important
    .filter((field) => !answers.has(field))
    .map((field) => {
      const { key, question } = settingsTable[field];
      const offer = offerFor(field, findings, aboveOf(answers));
      const found = offer === null ? '' : ` Found by ${offer.from}: ${valueText(offer.value)}.`;
      const take = offer === null ? '' : '; --yes accepts the value that was found';
      return errorProblem(
        'settings-missing',
        `"${key}" is missing: ${question}${found}`,
        `--set ${key}=${offer === null ? '...' : valueText(offer.value).replaceAll(' ', ',')}, or a line "${key}: ..." in the file of --answers${take}`,
      );
    });
}

/** Checked against the findings. */
export function settingsOf(answers: Answers, findings: Findings): Checked<Settings> {
  const checked = completeSettings(answers, 'csync.yaml');
  const conflicts = conflictsWith(answers, findings);
  return checked.ok && conflicts.length === 0 ? checked : { ok: false, problems: [...checked.problems, ...conflicts] };
}

/** Each with the answer to change. */
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

/** A member's own. The address of an existing package may be active there. */
function takenAddress(findings: Findings, address: string, packageName: unknown): Problem[] {
  const owner = ownerOf(findings, address);
  if (owner === null || clusterOf(findings)?.packages.includes(String(packageName))) return [];
  const text = `${address} is already ${owner}'s own address`;
  const remedy = 'choose an address that no host has; the cluster adds it on the active member';
  return [errorProblem('settings-address-taken', text, remedy)];
}

function unreachable(findings: Findings, subnet: string, members: readonly string[]): Problem[] {
  const outside = membersOutside(findings, subnet, members);
  if (outside.length === 0) return [];
  const shared = sharedSubnets(findings);
  const which = shared.length === 0 ? '' : ` (${shared.join(', ')})`;
  return [
    errorProblem(
      'settings-subnet-not-everywhere',
      `${outside.join(', ')} cannot take over the address: no interface is in ${subnet}`,
      `choose an address in a subnet of every member${which}, or remove these members`,
    ),
  ];
}

/** Members that lack something; the engine would report it later. */
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
      const why = findings.unseen.get(member) ?? 'the cluster does not list it';
      return [
        warn(
          member,
          'here-member-unseen',
          `was not checked: ${why}`,
          `${findings.engine.words.checker} checks it later; with ssh access csync init checks it, too`,
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
              'install it there',
            ),
          ]),
      ...(look.nodePaths.includes(nodePath)
        ? []
        : [
            warn(
              member,
              'here-node-missing',
              `no Node.js ${oldestNode} or newer at ${nodePath}`,
              'install it there, or run csync apply --with-runtime',
            ),
          ]),
      ...(group
        ? []
        : [warn(member, 'here-volume-group-missing', `vgs does not show ${volumeGroup}`, 'connect the member to its disks')]),
    ];
  });
}

export function fieldsOf(problems: readonly Problem[], answers: Answers): Field[] {
  const places = problems.map(({ place }) => place);
  return settingsFields.filter((field) => {
    const place = answers.get(field)?.place;
    return place !== undefined && places.includes(place);
  });
}

/** With their sources; defaults are counted. */
export function summaryLines(settings: Settings, answers: Answers): string[] {
  const decided = settingsFields.filter((field) => answers.has(field) && answers.get(field)?.from !== 'default');
  const rows = decided.map((field) => [settingsTable[field].key, `${valueText(settings[field])}  (${answers.get(field)?.from})`]);
  return [...columns(rows, { indent: 2 }), `  ${settingsFields.length - decided.length} more have their defaults.`];
}
