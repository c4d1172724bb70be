import { demand } from '../../base/problem.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { layoutOf } from '../../cfengine/layout.ts';
import { bootLook, bootScript, startsAtBoot } from '../../cluster/hosts/boot-start.ts';
import type { PolicyContent } from '../../cluster/hosts/host-look.ts';
import { commitRecordName } from '../../cluster/policy/commit.ts';
import { policyPlace } from '../../cluster/policy/look.ts';
import { planPolicyTree, staleMemberMentions } from '../../cluster/policy/tree.ts';
import type { SetupPlace } from '../../cluster/setup/change-model.ts';
import type { SetupView } from '../../cluster/setup/look.ts';
import type { PolicyPart } from '../../cluster/setup/membership.ts';
import type { PublishStep } from '../../cluster/setup/setup-plan.ts';
import { clusterKeys, type Roster } from '../../contract/roster.ts';
import { readTextFile, writeFilesAtomically } from '../../host/admin/own-files.ts';
import { loginName } from '../../host/admin/terminal.ts';
import { type AugmentsPlan, type Framework, frameworkOf, planAugments } from '../../render/mpf.ts';
import { type PolicyFile, renderPolicy } from '../../render/policy.ts';
import type { Settings } from '../../settings/settings.ts';
import { withList } from '../../settings/settings-yaml.ts';
import { afterwards } from '../common/connections.ts';
import { renderFrom } from '../common/package-sources.ts';
import { readBootTemplates, readPolicyTemplates, type SettingsSource } from '../common/toolkit-files.ts';
import { runQuietly } from './agent-runs.ts';

/** `templates`: the administrator's directory. */
export function setupPlace({ settings, file }: SettingsSource, templates: string | undefined): SetupPlace {
  const layout = layoutOf(settings);
  const boot = readBootTemplates();
  const { lines, read } = bootLook(settings, boot);
  const texts = readPolicyTemplates(settings.cfengineGeneration, templates);
  const below = (path: string): string => path.slice(settings.policyDirectory.length + 1);
  return {
    settings,
    adapter: adapterFor(settings),
    served: { base: settings.policyDirectory, directories: [below(layout.masterInputs), below(layout.publicKeys)] },
    boot: { lines, read: (answer) => startsAtBoot(read(answer)) },
    bootScript: (configured) => bootScript(settings, boot, configured ? 'install' : 'remove'),
    policyFor: (roster, view) => {
      const { members, clients } = roster;
      const existing = asText(filesBelow(view.masterFiles, below(layout.masterInputs)));
      // A record names members, too, but is not for editing.
      existing.delete(commitRecordName);
      const found = settings.cfengineGeneration === 3 ? frameworkOf(existing, settings.cfenginePort) : null;
      const framework = found?.lacks.length === 0;
      const rendered = demand(renderPolicy({ settings, templates: texts, members, clients, framework }));
      const joined = framework ? planAugments(existing) : { write: [], notes: notJoined(found) };
      return policyPart({ existing, rendered, joined }, roster, view, settings);
    },
    onMembers: (members, dryRun) => noteMembers(file, settings, members, dryRun),
    runRemotely: (shell, member, hosts) => runQuietly(shell, settings, member, hosts),
    renderHere: (wanted) => renderFrom(wanted, {}),
    user: loginName(),
    afterwards: (work) => afterwards(settings, work),
  };
}

/** Public keys as hosts fetch them; generation 2 needs only the current and the next one. */
function publicKeyFiles(roster: Roster, generation: Settings['cfengineGeneration']): [name: string, text: string][] {
  if (generation === 3) return clusterKeys(roster).map(({ digest, publicKey }) => [`root-${digest}.pub`, publicKey]);
  return [
    ...(roster.key === null ? [] : [['current.pub', roster.key.publicKey] as [string, string]]),
    ...(roster.nextKey === null ? [] : [['next.pub', roster.nextKey.publicKey] as [string, string]]),
  ];
}

function filesBelow<Content>(files: ReadonlyMap<string, Content> | null, directory: string): Map<string, Content> {
  const start = `${directory}/`;
  return new Map(
    [...(files ?? [])].flatMap(([name, text]) => (name.startsWith(start) ? [[name.slice(start.length), text] as const] : [])),
  );
}

/** To plan by: a file in another encoding is read byte by byte. */
function asText(files: ReadonlyMap<string, PolicyContent>): Map<string, string> {
  return new Map(
    [...files].map(([name, content]) => [name, typeof content === 'string' ? content : content.toString('latin1')] as const),
  );
}

function notJoined(found: Framework | null): string[] {
  if (found === null) return [];
  return [
    `the policy is the Masterfiles Policy Framework, but csync cannot join it by def.json; it lacks:\n${found.lacks.map((one) => `    ${one}`).join('\n')}`,
  ];
}

interface Tree {
  readonly existing: ReadonlyMap<string, string>;
  readonly rendered: readonly PolicyFile[];
  readonly joined: AugmentsPlan;
}

function policyPart(
  { existing, rendered, joined }: Tree,
  roster: Roster,
  { masterFiles, owner }: SetupView,
  settings: Settings,
): PolicyPart {
  const layout = layoutOf(settings);
  const below = (path: string): string => path.slice(settings.policyDirectory.length + 1);
  const [tree, keys] = [below(layout.masterInputs), below(layout.publicKeys)];
  const plan = planPolicyTree(rendered, existing);
  const written = [...plan.write, ...joined.write];
  const wantedKeys = new Map(publicKeyFiles(roster, settings.cfengineGeneration));
  const keysThere = filesBelow(masterFiles, keys);
  const write = [
    ...written.map(({ name, text }) => ({ name: `${tree}/${name}`, text })),
    ...[...wantedKeys]
      .filter(([name, text]) => keysThere.get(name) !== text)
      .map(([name, text]) => ({ name: `${keys}/${name}`, text })),
  ];
  const remove = [
    ...plan.remove.map((name) => `${tree}/${name}`),
    ...[...keysThere.keys()].filter((name) => !wantedKeys.has(name)).map((name) => `${keys}/${name}`),
  ];
  const publish: PublishStep | null =
    owner === null || masterFiles === null || write.length + remove.length === 0
      ? null
      : {
          member: owner,
          place: policyPlace(settings),
          directories: [tree, keys, below(layout.referenceFiles)],
          write,
          remove,
        };
  // As they are on the master: a package is no text.
  const kept = [...filesBelow(masterFiles, tree)].filter(([name]) => existing.has(name) && !plan.remove.includes(name));
  const inputs = new Map<string, PolicyContent>([...kept, ...written.map(({ name, text }) => [name, text] as const)]);
  const mentions = roster.gone
    .filter(({ kind }) => kind === 'member')
    .flatMap(({ name }) => staleMemberMentions(existing, name).map((one) => ({ ...one, name })));
  return {
    publish,
    inputs,
    served: masterFiles !== null,
    notes: [
      ...plan.notes,
      ...joined.notes,
      ...mentions.map(
        ({ file, line, text, name }) => `${file}:${line} still mentions the removed member ${name}: ${text.trim()}`,
      ),
    ],
  };
}

/** csync.yaml lists the members, too: an old list would remove new members with the next apply. */
function noteMembers(file: string | null, settings: Settings, members: readonly string[], dryRun: boolean): readonly string[] {
  if (file === null || members.join() === settings.members.join()) return [];
  const text = withList(readTextFile(file) ?? '', 'members', members);
  if (text === null) return [];
  if (!dryRun) writeFilesAtomically([{ path: file, mode: 0o644, text }]);
  return [`${file}: members: [${members.join(', ')}]`];
}
