/** `csync init`: asks for the settings that it does not find, and writes only csync.yaml. */

import { dirname } from 'node:path';
import {
  demand,
  type ExitCode,
  exitCodes,
  Failure,
  failure,
  formatProblem,
  Interrupted,
  type Problem,
} from '../../base/problem.ts';
import { openSshShell } from '../../host/admin/member-shell.ts';
import { readTextFile } from '../../host/admin/own-files.ts';
import { isInteractive, type LineTerminal, openLines } from '../../host/admin/terminal.ts';
import { err, out } from '../../host/output.ts';
import { type Field, type Settings, settingsDigest } from '../../settings/settings.ts';
import { defaultOf, printSettings } from '../../settings/settings-yaml.ts';
import { settingsTable } from '../../settings/table.ts';
import {
  type Answer,
  type Answers,
  aboveOf,
  answersGiven,
  conflictsWith,
  fieldsOf,
  missingAnswers,
  problemsAt,
  promptFor,
  readYesNo,
  settingsOf,
  summaryLines,
  takenOffer,
  typedAnswer,
  warningsOf,
} from '../../wizard/answers.ts';
import { crossSubnet, type Findings, lookedLines, nameLookups } from '../../wizard/findings.ts';
import { lookupsFor, type Offer, offerFor, questionOrder, remarksFor } from '../../wizard/offers.ts';
import { memberWay, type WaySettings } from '../common/connections.ts';
import { readOrFail, schemaLine, writeOrFail } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { Looker } from './wizard-look.ts';

export const initDocument = shape.document({
  output: shape.text,
  dryRun: shape.yesNo,
  digest: shape.text,
  settings: shape.parts,
  from: shape.parts,
  unseen: shape.parts,
  problems: shape.problems,
  text: shape.optional(shape.text),
});

export interface InitOptions {
  readonly output: string;
  readonly answers?: string | undefined;
  /** `key=value`, as typed. */
  readonly set: readonly string[];
  readonly yes: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const tell = (text: string): void => void err(`${text}\n`);

const nameFields: readonly Field[] = ['packageDnsName', 'packageAddress'];

/** Throws a Failure with everything that is missing or wrong. Status 130, without a file, after Ctrl-C or the end of input. */
export async function init(options: InitOptions): Promise<ExitCode> {
  refuseOverwriting(options);
  const given = demand(answersGiven(readAnswersFile(options.answers), options.set));
  const controller = new AbortController();
  const held: { terminal: LineTerminal | null } = { terminal: null };
  const interrupt = (): void => {
    controller.abort(new Interrupted());
    held.terminal?.close();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const shell = openSshShell(controller.signal, false, memberWay(wayIn(given)));
  try {
    const looker = new Looker(shell, controller.signal);
    const findings = await looker.look();
    tell(['Checked:', ...lookedLines(findings)].join('\n'));
    const refused = crossSubnet(findings);
    if (refused.length > 0) throw new Failure(refused);
    if (isInteractive() && !options.json && !options.yes) held.terminal = openLines(interrupt);
    const wizard = new Wizard(looker, findings, given, held.terminal, options.yes);
    const settings = await wizard.run();
    if (settings === null) {
      tell('Nothing was written.');
      return exitCodes.different;
    }
    const warnings = warningsOf(settings, findings);
    // A terminal printed them before the last question.
    if (held.terminal === null) tellProblems(warnings);
    finish(options, settings, wizard.answers, { findings, warnings });
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    tell('\nInterrupted; nothing was written.');
    return exitCodes.interrupted;
  } finally {
    held.terminal?.close();
    await shell.close();
    for (const signal of signals) process.off(signal, interrupt);
  }
}

/** Decides each setting: from the options, else the terminal, else what was found. */
class Wizard {
  readonly #looker: Looker;
  readonly #terminal: LineTerminal | null;
  readonly #takeGuesses: boolean;
  readonly #answers: Map<Field, Answer>;
  #findings: Findings;

  constructor(looker: Looker, findings: Findings, given: Answers, terminal: LineTerminal | null, takeGuesses: boolean) {
    this.#looker = looker;
    this.#findings = findings;
    this.#answers = new Map(given);
    this.#terminal = terminal;
    this.#takeGuesses = takeGuesses;
  }

  get answers(): Answers {
    return this.#answers;
  }

  /** null: the administrator declined. */
  async run(): Promise<Settings | null> {
    const { important, others } = questionOrder;
    // Never asked: other defaults depend on it.
    const engine = takenOffer('engine', await this.#offer('engine'), false);
    if (engine !== null && !this.#answers.has('engine')) this.#answers.set('engine', engine);
    await this.#decide(important);
    if (this.#terminal === null) return this.#settled();
    const rest = others.filter((field) => !this.#answers.has(field));
    const all = `Do you want to answer the other ${rest.length} settings, too?`;
    if (rest.length > 0 && (await this.#yesNo(all, false))) await this.#decide(rest);
    const settings = await this.#settled();
    tellProblems(warningsOf(settings, this.#findings));
    tell(['The settings:', ...summaryLines(settings, this.#answers)].join('\n'));
    return (await this.#yesNo('Do you want to continue?', true)) ? settings : null;
  }

  async #decide(fields: readonly Field[]): Promise<void> {
    for (const field of fields) {
      if (this.#answers.has(field)) continue;
      if (this.#terminal !== null) await this.#ask(field);
      else {
        const answer = takenOffer(field, await this.#offer(field), this.#takeGuesses);
        if (answer !== null) this.#answers.set(field, answer);
      }
    }
  }

  /** The settings without contradictions. Asks again about problems; without a terminal they fail the verb. */
  async #settled(): Promise<Settings> {
    for (;;) {
      await this.#lookUpName(true);
      const checked = settingsOf(this.#answers, this.#findings);
      if (checked.ok) return checked.value;
      const again = fieldsOf(checked.problems, this.#answers);
      if (this.#terminal === null || again.length === 0) {
        const others = checked.problems.filter(({ code }) => code !== 'settings-missing');
        throw new Failure([...missingAnswers(this.#answers, this.#findings), ...others]);
      }
      complain(checked.problems);
      for (const field of again) await this.#ask(field);
    }
  }

  async #ask(field: Field): Promise<void> {
    let wanted: readonly Field[] = [field];
    while (wanted.length > 0) {
      for (const one of wanted) this.#answers.set(one, await this.#askOnce(one));
      await this.#lookUpName(wanted.some((one) => nameFields.includes(one)));
      const problems = [...problemsAt(this.#answers, [field, ...wanted]), ...conflictsWith(this.#answers, this.#findings)];
      complain(problems);
      const again = fieldsOf(problems, this.#answers);
      // An invalid answer is not offered again. One that only contradicts another may be correct.
      for (const one of fieldsOf(
        problems.filter(({ code }) => code === 'settings-value' || code === 'settings-unsupported'),
        this.#answers,
      ))
        this.#answers.delete(one);
      // Either of the two may be wrong.
      const pair = again.includes('packageDnsName') && this.#answers.has('packageAddress');
      wanted = questionOrder.all.filter((one) => again.includes(one) || (pair && nameFields.includes(one)));
    }
  }

  async #askOnce(field: Field): Promise<Answer> {
    const before = this.#answers.get(field);
    const offer = before === undefined ? await this.#offer(field) : { value: before.value, from: before.from, certain: true };
    for (const remark of remarksFor(field, this.#findings, aboveOf(this.#answers))) out(`${remark}\n`);
    for (;;) {
      const answer = typedAnswer(field, await this.#line(promptFor(field, offer)), offer);
      if (answer !== null) return answer;
      out(`This setting requires an answer. ${settingsTable[field].comment}\n`);
    }
  }

  async #offer(field: Field): Promise<Offer | null> {
    const above = aboveOf(this.#answers);
    this.#findings = await this.#looker.lookUp(this.#findings, lookupsFor(field, this.#findings, above));
    return offerFor(field, this.#findings, above);
  }

  /** `fresh`: a wrong name may have been registered meanwhile. */
  async #lookUpName(fresh: boolean): Promise<void> {
    const { packageDnsName, packageAddress } = aboveOf(this.#answers);
    this.#findings = await this.#looker.lookUp(this.#findings, nameLookups(packageDnsName, packageAddress), fresh);
  }

  async #yesNo(question: string, fallback: boolean): Promise<boolean> {
    for (;;) {
      const answer = readYesNo(await this.#line(`${question} (y/n) [${fallback ? 'y' : 'n'}]: `), fallback);
      if (answer !== null) return answer;
      out('Answer y or n.\n');
    }
  }

  async #line(prompt: string): Promise<string> {
    const line = await this.#terminal?.ask(prompt);
    if (line === null || line === undefined) throw new Interrupted();
    return line;
  }
}

function complain(problems: readonly Problem[]): void {
  for (const { text, remedy } of problems) out(`${text}\n  Fix: ${remedy}\n`);
}

function tellProblems(problems: readonly Problem[]): void {
  for (const problem of problems) tell(formatProblem(problem));
}

/** While settings are still missing. */
function wayIn(given: Answers): WaySettings {
  const above = aboveOf(given);
  const of = <F extends Field>(field: F): Settings[F] => (above[field] ?? defaultOf(field, above)) as Settings[F];
  return { sshUser: of('sshUser'), become: of('become') };
}

function refuseOverwriting({ output, force, dryRun }: InitOptions): void {
  if (force || dryRun || readTextFile(output) === null) return;
  throw failure(
    'here-settings-exist',
    `${output} already exists; csync init would overwrite it`,
    'edit it and run csync settings check; or write another file (--output FILE); or replace it (--force)',
    { file: output },
  );
}

function readAnswersFile(file: string | undefined): { name: string; text: string } | null {
  if (file === undefined) return null;
  const remedy = 'name a file of lines "key: value", in the format of csync settings example';
  return { name: file, text: readOrFail(file, 'the answers file', remedy) };
}

interface Seen {
  readonly findings: Findings;
  readonly warnings: readonly Problem[];
}

function finish(options: InitOptions, settings: Settings, answers: Answers, seen: Seen): void {
  const { findings, warnings } = seen;
  const { output, dryRun, json } = options;
  const text = `${schemaLine()}${printSettings(settings)}`;
  if (!dryRun) {
    refuseOverwriting(options);
    writeOrFail(dirname(output), [{ path: output, mode: 0o644, text }]);
  }
  const digest = settingsDigest(settings);
  if (json) {
    const from = Object.fromEntries([...answers].map(([field, answer]) => [settingsTable[field].key, answer.from]));
    const unseen = Object.fromEntries(findings.unseen);
    printJson<typeof initDocument>({
      output,
      dryRun,
      digest,
      settings,
      from,
      unseen,
      problems: warnings,
      ...(dryRun ? { text } : {}),
    });
  } else if (dryRun) out(text);
  else out(`Wrote ${output} (digest ${digest.slice(0, 12)}).\n${nextSteps(output)}`);
}

/** From the settings to a running package; details in docs/how-to/install.md. */
function nextSteps(output: string): string {
  const option = output === 'csync.yaml' ? '' : ` --settings ${output}`;
  const steps = ['check', 'members sync', 'apply --dry-run', 'apply --run'].map((words) => `  csync ${words}${option}\n`);
  return `Next steps:\n${steps.join('')}`;
}
