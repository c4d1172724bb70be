/** The lab is the power switch of the real Corosync and Pacemaker, and records their events. */
import type { Connection } from '../../host/lab/lab-socket.ts';
import type { Journal, NewEntry } from '../emulation/journal.ts';
import type { LabCluster } from '../emulation/lab-cluster.ts';
import { membersOf } from '../machines/lab-spec.ts';
import { clusterProgram } from '../machines/pacemaker/furnish-node.ts';
import type { World } from '../machines/world.ts';

const viewLimitMs = 5000;

export function realCluster(
  world: World,
  journal: Journal,
  view: readonly string[],
  bootMachine: (member: string) => Promise<void>,
): LabCluster {
  const { spec } = world;
  const isMember = (name: string): boolean => membersOf(spec).some((member) => member.name === name);
  const bootMember = async (member: string): Promise<void> => {
    await world.boot(member);
    await bootMachine(member);
    if (isMember(member)) await world.must(member, [clusterProgram, 'start']);
  };
  return {
    bootMember,
    setLink: (member, up) => world.setLink(member, up),
    memberLost: () => {},
    isMember,
    view: async () => {
      const member = membersOf(spec).find(({ name }) => world.isUp(name) && world.hasCable(name));
      if (member === undefined) return null;
      const { exitCode, stdout } = await world.run(member.name, view, { timeoutMs: viewLimitMs });
      return exitCode === 0 ? stdout : null;
    },
    serve: async (message, connection, role) => {
      if (message.kind === 'alert') return alert(journal, spec.settings.packageName, message, connection);
      if (message.kind === 'fence' && role === 'root') return fence(world, journal, message, connection);
      connection.send({ problem: 'this lab has no such command' });
    },
  };
}

async function fence(
  world: World,
  journal: Journal,
  { action, member }: Readonly<Record<string, unknown>>,
  connection: Connection,
): Promise<void> {
  const name = String(member);
  if (action === 'status') return connection.send({});
  if (action !== 'off')
    return connection.send({ problem: `the lab's power switch has no action ${action}: machines are booted by hand` });
  journal.add({ kind: 'event', what: 'fenced', member: name, text: 'is fenced: the cluster cuts its power' });
  await world.crash(name);
  connection.send({});
}

function alert(journal: Journal, packageName: string, message: Readonly<Record<string, unknown>>, connection: Connection): void {
  const word = (key: string): string => String(message[key] ?? '');
  const entry = entryOf(packageName, word);
  if (entry !== null) journal.add(entry);
  connection.send({});
}

/** In the words of the timeline; null: it does not use this event. */
function entryOf(packageName: string, word: (key: string) => string): NewEntry | null {
  const member = word('node');
  if (word('of') === 'node')
    return { kind: 'event', what: `node-${word('desc')}`, member, text: `the cluster reports: ${word('desc')}` };
  const [, part] = new RegExp(`^${packageName}_(\\w+)$`).exec(word('rsc')) ?? [];
  if (word('of') !== 'resource' || part === undefined) return null;
  const [task, code] = [word('task'), word('rc')];
  const event = (what: string, text: string): NewEntry => ({ kind: 'event', what, member, text });
  if (task === 'start' && part === 'main') return event('start-ended', `start of ${packageName} finished (exit status ${code})`);
  if (task === 'stop' && part === 'pre') return event('halt-ended', `halt of ${packageName} finished (exit status ${code})`);
  if (task === 'stop' && part === 'main') return event('halting', `halt of ${packageName} begins`);
  if (code !== '0' && task !== 'start') return event('service-died', `${word('rsc')}: ${task} returned ${code}`);
  return { kind: 'log', what: 'pacemaker', member, text: `${word('rsc')}: ${task} returned ${code}` };
}
