import { type LineView, packageIn, parseLineView, partsOf } from '../../serviceguard/view.ts';
import type { ClusterView, PackageStatus } from '../engine.ts';

/** Never fails; unreadable text has no members. */
export function readView(text: string): ClusterView {
  const view = parseLineView(text);
  return {
    name: view.own.get('name') ?? null,
    members: membersIn(view),
    packages: new Map(partsOf(view, 'package').map(([name, part]) => [name, statusIn(part)])),
  };
}

/** Also of `cmviewcl -p PACKAGE`; null: not named there. */
export function packageStatus(text: string, name: string): PackageStatus | null {
  const view = packageIn(parseLineView(text), name);
  return view === null ? null : statusIn(view);
}

/** up, down, halted, unknown, by name. */
export function memberStates(text: string): ReadonlyMap<string, string> {
  return membersIn(parseLineView(text));
}

function statusIn(view: LineView): PackageStatus {
  const own = (attribute: string): string => view.own.get(attribute) ?? '';
  return {
    status: own('status'),
    state: own('state'),
    owner: ['', 'unowned'].includes(own('owner')) ? null : own('owner'),
    autoRun: own('autorun') === 'enabled',
    switching: new Map(partsOf(view, 'node').map(([member, part]) => [member, part.own.get('switching') === 'enabled'])),
  };
}

function membersIn(view: LineView): ReadonlyMap<string, string> {
  return new Map(partsOf(view, 'node').map(([name, part]) => [name, part.own.get('status') ?? 'unknown']));
}
