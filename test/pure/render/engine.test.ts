/** The engine seam: what is above src/engine names no engine, and each engine has an answer for all that is asked of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engines, typed } from '../../../src/engine/choice/engine-for.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { pacemaker } from '../../../src/engine/pacemaker/engine.ts';
import { serviceguard } from '../../../src/engine/serviceguard/engine.ts';
import { drills } from '../../../src/rehearsal/drill-table.ts';
import { commandsOf } from '../../../src/rehearsal/orders.ts';
import { repository } from '../../support.ts';

const source = join(repository, 'src');
const above = ['base/', 'cli/', 'cluster/', 'contract/', 'rehearsal/', 'render/', 'settings/', 'verbs/', 'wizard/'];
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && above.some((folder) => name.startsWith(folder)),
);

/** Commands of Serviceguard, its directories and their variables, keywords of its files. */
const named =
  /\bcm(?:apply|check|delete|get|query)(?:conf|cl)\b|\bcm(?:halt|run)(?:cl|node|pkg|serv)\b|\bcm(?:makepkg|migratepkg|modpkg|modnet|getpkgenv)\b|\bcm(?:viewcl|version|exec|cluster)\b|\bSG(?:CONF|RUN|SBIN|LBIN|CONFFILE)\b|\b(?:RUN|HALT)_SCRIPT\b/g;

/** What stays, and why. */
const allowed: Readonly<Record<string, string>> = {
  'cli/': 'the help, which explains csync by the commands that its readers know',
  'base/codes/':
    'the codes of failed commands are what scripts of administrators look for; explanations name the commands that help',
  'settings/table.ts': 'comments and usual values of csync.yaml; with a setting for the engine they follow from it',
  'settings/rules.ts': 'the variables that a path may begin with, as the usual values do',
  'render/template-set.ts': 'what the shipped template is for; another engine ships another one',
  'verbs/lab/lab.ts': 'the lab imitates Serviceguard, and names its command to inspect it',
  'rehearsal/lab-ground.ts': 'a directory of the lab, which imitates Serviceguard',
};

const namesIn = (file: string): readonly string[] => [...new Set(readFileSync(join(source, file), 'utf8').match(named) ?? [])];

/** Comments stand on lines of their own. */
const withoutComments = (text: string): string => text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');

describe('above the engine', () => {
  it('nothing names a command, a path or a keyword of an engine', () => {
    const found = files
      .filter((file) => !Object.keys(allowed).some((prefix) => file.startsWith(prefix)))
      .map((file) => ({ file, names: namesIn(file) }));
    expect(found.filter(({ names }) => names.length > 0)).toEqual([]);
  });

  it('no text names an engine or its words', () => {
    const found = files
      .filter((file) => !Object.keys(allowed).some((prefix) => file.startsWith(prefix)))
      .filter((file) => /Serviceguard|AUTO_RUN/.test(withoutComments(readFileSync(join(source, file), 'utf8'))));
    expect(found).toEqual([]);
  });

  it('each exception names one', () => {
    const idle = Object.keys(allowed).filter((prefix) =>
      files.every((file) => !file.startsWith(prefix) || namesIn(file).length === 0),
    );
    expect(idle).toEqual([]);
  });

  it.each([
    'cmviewcl -v',
    'see cmhaltnode -f m1',
    'PATH="$SGSBIN:$PATH"',
    '. /etc/cmcluster.conf',
    'RUN_SCRIPT /x',
    "['cmmodpkg', '-e']",
  ])('%s would be found', (text) => {
    expect(text.match(named)).not.toBeNull();
  });
});

describe.each(engines.map((engine) => [engine.title, engine] as const))('%s', (_title, { orders, words, observation }) => {
  it('has commands for every act of the drills', () => {
    const acts = drills.flatMap((drill) => [...drill.acts, ...drill.cleanup]);
    const typing = acts.flatMap((act) => (act.do === 'type' ? [act] : []));
    expect(typing).not.toEqual([]);
    for (const act of typing) {
      const commands = commandsOf(act, orders, 'csync', (part) => part);
      expect(commands, act.order).not.toEqual([]);
      for (const argv of commands) expect(argv.join(' '), act.order).toMatch(/^\S/);
    }
  });

  it('takes what is no answer for none', () => {
    const view = observation.readView('Unable to connect\n');
    expect([view.name, view.members.size, view.packages.size]).toEqual([null, 0, 0]);
    expect(observation.readDefinition('Unable to connect\n')).toBeNull();
    expect(observation.readVersion('Unable to connect\n')).toBeNull();
    expect(observation.readDefinition('<a><b/></a>')).toBeNull();
  });

  it('has a remedy for each command that a plan carries out', () => {
    const plan = [...orders.halt('csync'), ...orders.run('csync', 'm1'), ...orders.switchOn('csync')];
    for (const argv of plan) expect(words.afterFailure(argv)).toMatch(/\S{3}/);
  });
});

describe("Serviceguard's commands", () => {
  const { orders } = serviceguard;

  it.each([
    [orders.switchOn('p'), 'cmmodpkg -e p'],
    [orders.switchOff('p'), 'cmmodpkg -d p'],
    [orders.switchMembersOn('p', ['a', 'b']), 'cmmodpkg -e -n a -n b p'],
    [orders.switchMembersOff('p', ['a']), 'cmmodpkg -d -n a p'],
    [orders.run('p', 'a'), 'cmrunpkg -n a p'],
    [orders.halt('p'), 'cmhaltpkg p'],
    [orders.maintenance('p', 'on'), 'cmmodpkg -d p; cmmodpkg -m on p'],
    [orders.maintenance('p', 'off'), 'cmmodpkg -m off p'],
    [orders.haltMember('a', 'packages move'), 'cmhaltnode -f a'],
    [orders.haltMember('a', 'no packages'), 'cmhaltnode a'],
    [orders.runMember('a'), 'cmrunnode a'],
    [orders.forget('p'), 'cmdeleteconf -f -p p'],
    [orders.releaseAddress('10.9.0.100', '10.9.0.0'), 'cmmodnet -r -i 10.9.0.100 10.9.0.0'],
  ])('%j', (commands, text) => {
    expect(typed(commands)).toBe(text);
  });
});

describe("Pacemaker's commands", () => {
  const { orders, observation } = pacemaker;
  const meta = 'crm_resource --resource p --meta';

  it.each([
    [orders.switchOn('p'), `${meta} --set-parameter target-role --parameter-value Started`],
    [
      orders.switchMembersOn('p', ['a', 'b']),
      'crm_resource --resource p --cleanup --node a; crm_resource --resource p --cleanup --node b',
    ],
    [orders.switchMembersOff('p', ['a']), 'crm_resource --resource p --ban --node a'],
    [
      orders.run('p', 'a'),
      `crm_resource --resource p --move --node a --lifetime=PT15M; ${meta} --set-parameter target-role --parameter-value Started; crm_resource --wait --timeout=600s; crm_resource --resource p --clear --node a`,
    ],
    [orders.halt('p'), `${meta} --set-parameter target-role --parameter-value Stopped; crm_resource --wait --timeout=600s`],
    [orders.maintenance('p', 'on'), `${meta} --set-parameter maintenance --parameter-value true`],
    [orders.maintenance('p', 'off'), `crm_resource --resource p --cleanup; ${meta} --delete-parameter maintenance`],
    [orders.haltMember('a', 'packages move'), 'crm_standby --node a --update on'],
    [orders.runMember('a'), 'crm_standby --node a --delete'],
  ])('%j', (commands, text) => {
    expect(typed(commands)).toBe(text);
  });

  it('reads the version of crm_node', () => {
    expect(observation.readVersion('Pacemaker 2.1.5\nWritten by Andrew Beekhof\n')).toBe('2.1.5');
  });
});

describe('the words of an engine', () => {
  const ofServiceguard = /Serviceguard|\bcm[a-z]{3,}\b|AUTO_RUN|SG(CONF|RUN|SBIN)/;
  const ofPacemaker = /Pacemaker|corosync|\bcrm_|cibadmin|\bpcs\b|target-role|CIB/;

  /** Every text and command, with arguments that name no engine. */
  function textsOf({ title, words, orders, observation, definition, host }: Engine): string[] {
    const { templateMaker: _, ...rest } = words;
    const said = Object.values(rest).flatMap((word) => (typeof word === 'string' ? [word] : []));
    return [
      title,
      ...said,
      ...[orders.halt('p'), orders.run('p', 'a'), orders.forget('p')].flat().map((argv) => words.afterFailure(argv)),
      words.afterFailure(['other']),
      words.join('a', ['b']),
      words.leave(['a'], ['b']),
      words.moveAway('a', 'p', 'b'),
      words.noMaintenance('legacy') ?? '',
      words.tooOld('1.0') ?? '',
      words.afterFailure(definition.applyFile('/etc/csync/p.group.xml')[0] ?? []),
      host.foundText(null),
      host.foundText({}),
      typed(
        [observation.view, observation.version, observation.definition('p')],
        ...[orders.switchOn('p'), orders.switchOff('p'), orders.switchMembersOn('p', ['a']), orders.switchMembersOff('p', ['a'])],
        ...[orders.maintenance('p', 'on'), orders.maintenance('p', 'off'), orders.releaseAddress('10.9.0.100', '10.9.0.0')],
      ),
    ];
  }

  it.each([
    [serviceguard, ofServiceguard, ofPacemaker],
    [pacemaker, ofPacemaker, ofServiceguard],
  ])('$title names itself and no other', (engine, own, other) => {
    const texts = textsOf(engine);
    expect(texts.filter((text) => other.test(text))).toEqual([]);
    expect(texts.some((text) => own.test(text))).toBe(true);
  });
});
