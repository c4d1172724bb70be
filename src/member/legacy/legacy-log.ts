/** Log lines of a legacy control script, as in the template of A.11.19 [serviceguard.md 4.4]. */
import { dateLine, type MemberLog, timeStamp } from '../../host/member/member-log.ts';

export class ControlLog {
  readonly #log: MemberLog;
  readonly #member: string;

  constructor(log: MemberLog, member: string) {
    this.#log = log;
    this.#member = member;
  }

  /** A failed rollback has fewer #. */
  banner(text: string, rollback = false): void {
    const line = '#'.repeat(rollback ? 6 : 11);
    this.#log.plain(`\n\t${line} Node "${this.#member}": ${text} ${dateLine(new Date())} ${line}`);
  }

  note(text: string, ...items: readonly string[]): void {
    this.#log.plain(`${timeStamp(new Date())} - Node "${this.#member}": ${text}`);
    for (const item of items) this.#log.plain(`   ${item}`);
  }

  error(name: string, text: string): void {
    this.#log.plain(`\tERROR:  Function ${name}`);
    this.#log.plain(`\tERROR:  ${text}`);
  }

  warning(text: string): void {
    this.#log.plain(`\tWARNING:   ${text}`);
  }
}
