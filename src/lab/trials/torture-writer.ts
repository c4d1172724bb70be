import { setTimeout as pause } from 'node:timers/promises';
import { layoutOf } from '../../cfengine/layout.ts';
import { until } from '../handle.ts';
import { clientsOf, membersOf, toolkitDirectory } from '../machines/lab-spec.ts';
import type { PackageDrills } from './package-drills.ts';
import { codesIn, type Edit, editOutcome, numbersIn, type SeenPolicy, wentBack } from './torture-set.ts';

/** Edits collide here, and all but one are refused; each other file has one writer. */
const sharedSet = 'set.txt';
const ownSet = (member: string): string => `set-${member}.txt`;
const calmSet = 'set-calm.txt';
const meetEvery = 4;
const commitMs = 240_000;
const fetchMs = 120_000;
const lookPauseMs = 300;
/** An edit needs 3 s of CPU. */
const editPauseMs = 8000;
const notSent = 90;

export class SetTest {
  readonly edits: Edit[] = [];
  readonly wentBack: string[] = [];
  looks = 0;
  readonly #drills: PackageDrills;
  readonly #seen = new Map<string, SeenPolicy>();
  #number = 0;
  readonly #ending = new AbortController();
  #running: Promise<void>[] = [];

  constructor(drills: PackageDrills) {
    this.#drills = drills;
  }

  /** On different hosts, so that edits collide. */
  start(): void {
    const clients = clientsOf(this.#drills.lab.spec).map(({ name }) => name);
    this.#running = [...this.#writers().map((member) => this.#write(member)), ...clients.map((client) => this.#watch(client))];
  }

  #writers(): string[] {
    return membersOf(this.#drills.lab.spec)
      .slice(0, 2)
      .map(({ name }) => name);
  }

  #setFiles(): string[] {
    return [sharedSet, calmSet, ...this.#writers().map(ownSet)];
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running);
  }

  progress(): string {
    const count = (outcome: Edit['outcome']): number => this.edits.filter((edit) => edit.outcome === outcome).length;
    return `edits ${count('acknowledged')} acknowledged, ${count('failed')} failed, ${count('unknown')} unknown`;
  }

  async #pause(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal: this.#ending.signal }).catch(() => {});
  }

  async #write(member: string): Promise<void> {
    while (!this.#ending.signal.aborted) {
      // Not on a machine without power.
      const file = (this.#number + 1) % meetEvery === 0 ? sharedSet : ownSet(member);
      if (await this.#isUp(member)) await this.#edit(member, file, 'set');
      await this.#pause(editPauseMs);
    }
  }

  /** Waits until an edit that a third writer begins now is acknowledged. */
  async acknowledged(member: string): Promise<void> {
    const acknowledged = async (): Promise<boolean> => {
      if ((await this.#edit(member, calmSet, 'calm')) === 'acknowledged') return true;
      await this.#labIsThere();
      return false;
    };
    await until(acknowledged, commitMs, 'an edit of the policy to be acknowledged');
  }

  async #labIsThere(): Promise<void> {
    await this.#drills.lab.status();
  }

  async #edit(member: string, file: string, copy: string): Promise<Edit['outcome']> {
    this.#number += 1;
    const number = this.#number;
    const edit = { number, ...(await this.#commit(member, number, file, copy)) };
    this.edits.push(edit);
    return edit.outcome;
  }

  async #isUp(member: string): Promise<boolean> {
    const status = await this.#drills.lab.status().catch(() => null);
    return status?.hosts.some(({ name, up }) => name === member && up) ?? false;
  }

  async #commit(member: string, number: number, file: string, copy: string): Promise<Pick<Edit, 'outcome' | 'why'>> {
    const csync = `node ${toolkitDirectory}/csync.mjs policy`;
    const script = [
      `cd /root && rm -rf ${copy} || exit 90`,
      `${csync} show --copy ${copy} --json > ${copy}.log || { cat ${copy}.log; exit ${notSent}; }`,
      `echo ${number} >> ${copy}/${file}`,
      `exec ${csync} commit ${copy} --json -m 'edit ${number}'`,
    ].join('\n');
    const ended = await this.#drills.lab.exec(member, ['sh', '-c', script], { timeoutMs: commitMs }).catch(() => null);
    if (ended === null) return { outcome: 'unknown' };
    const { exitCode, stdout } = ended;
    const outcome = exitCode === notSent ? 'failed' : editOutcome(true, exitCode, stdout);
    return outcome === 'acknowledged' ? { outcome } : { outcome, why: codesIn(stdout) };
  }

  async #watch(client: string): Promise<void> {
    while (!this.#ending.signal.aborted) {
      await this.#look(client);
      await this.#pause(lookPauseMs);
    }
  }

  /** Reads a set again that is being replaced. */
  async #look(client: string): Promise<SeenPolicy | null> {
    const { inputs } = layoutOf(this.#drills.lab.spec.settings);
    const paths = ['csync.commit', ...this.#setFiles()].map((name) => `${inputs}/${name}`);
    const texts = await this.#drills.lab.read(client, paths).catch(() => null);
    if (texts === null) return null;
    const [record, ...sets] = texts;
    const numbers = numbersIn(sets.join(''));
    const { epoch, commit } = readRecord(record ?? '{"epoch":0,"commit":0}');
    if (numbers === null || epoch === null || commit === null) return null;
    const now: SeenPolicy = { epoch, commit, numbers };
    const before = this.#seen.get(client);
    const back = before === undefined ? null : wentBack(before, now);
    if (back !== null) this.wentBack.push(`${client} went ${back}`);
    this.#seen.set(client, now);
    this.looks += 1;
    return now;
  }

  /** Waits for all edits acknowledged so far; `except` is skipped. */
  async fetched(except: string | null = null): Promise<void> {
    const wanted = this.edits.filter(({ outcome }) => outcome === 'acknowledged').map(({ number }) => number);
    for (const { name } of clientsOf(this.#drills.lab.spec).filter((client) => client.name !== except)) {
      await this.#drills.lab.ask({ verb: 'fetch', member: name });
      const has = async (): Promise<boolean> => {
        const seen = await this.#look(name);
        if (seen === null) await this.#labIsThere();
        return seen !== null && wanted.every((number) => seen.numbers.includes(number));
      };
      await until(has, fetchMs, `${name} to fetch all acknowledged edits`);
    }
  }

  async final(): Promise<readonly number[]> {
    const owner = await this.#drills.waitServed();
    const { masterInputs } = layoutOf(this.#drills.lab.spec.settings);
    return numbersIn(await this.#drills.type(owner, ['sh', '-c', `cat ${masterInputs}/set*.txt`])) ?? [];
  }
}

function readRecord(text: string): { epoch: number | null; commit: number | null } {
  const number = (key: string): number | null => {
    const found = new RegExp(`"${key}":(\\d+)`).exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  return { epoch: number('epoch'), commit: number('commit') };
}
