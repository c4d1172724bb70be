/** The administrator's templates, and what both sides changed since the export. Pure. */
import { createTwoFilesPatch } from 'diff';

export interface TemplateEntry {
  /** Below package-templates, or the administrator's directory. */
  readonly name: string;
  readonly becomes: string;
}

export const templateCatalogue: readonly TemplateEntry[] = [
  { name: 'modular/package.conf.tpl', becomes: 'the package file for cmcheckconf and cmapplyconf' },
  { name: 'modular/launcher.sh.tpl', becomes: 'csync.sh, csync_pre.sh; csync_control.sh: what Serviceguard calls' },
  { name: 'legacy/package.conf.tpl', becomes: 'the package file of a legacy package' },
  { name: 'pacemaker/group.xml.tpl', becomes: 'the resource group (engine: pacemaker), for cibadmin' },
  { name: 'cfengine3/promises.cf.tpl', becomes: 'promises.cf: what every host does' },
  { name: 'cfengine3/update.cf.tpl', becomes: 'update.cf and failsafe.cf: policy and public keys from the master' },
  { name: 'cfengine3/controls/cf_serverd.cf.tpl', becomes: 'controls/cf_serverd.cf: who may connect, fetch and start runs' },
  { name: 'cfengine3/controls/cf_runagent.cf.tpl', becomes: 'controls/cf_runagent.cf: whom cf-runagent calls' },
  { name: 'cfengine3/csync_members.cf.tpl', becomes: 'csync_members.cf: the members as classes' },
  { name: 'cfengine3/site.cf', becomes: 'site.cf, once: your own policy' },
  { name: 'cfengine2/update.conf.tpl', becomes: 'update.conf: policy and public keys from the master' },
  { name: 'cfengine2/cfagent.conf.tpl', becomes: 'cfagent.conf: what every host does' },
  { name: 'cfengine2/cf.main.tpl', becomes: 'cf.main: what all sites have in common' },
  { name: 'cfengine2/csync.members.tpl', becomes: 'csync.members: the members as classes' },
  { name: 'cfengine2/cfservd.conf.tpl', becomes: 'cfservd.conf: who may connect, fetch and start runs' },
  { name: 'cfengine2/cfrun.hosts.tpl', becomes: 'cfrun.hosts: whom cfrun calls' },
  { name: 'cfengine2/csync_keys.sh.tpl', becomes: 'csync_keys.sh: keys of new members, the other key of a rotation' },
  { name: 'cfengine2/site.main', becomes: 'site.main, once: your own policy' },
];

/** The shipped texts of the export. */
export const pristineDirectory = '.shipped';

export interface TemplateTexts {
  readonly shipped: string;
  readonly own: string | null;
  readonly pristine: string | null;
}

export type TemplateState =
  | 'shipped'
  | 'same'
  /** Edited; the shipped one is unchanged since the export, or that is unknown. */
  | 'edited'
  /** Unedited copy of an older one. */
  | 'outdated'
  /** Merge by hand. */
  | 'edited, outdated';

export function templateState({ shipped, own, pristine }: TemplateTexts): TemplateState {
  if (own === null) return 'shipped';
  if (own === shipped) return 'same';
  const outdated = pristine !== null && pristine !== shipped;
  if (own === pristine) return outdated ? 'outdated' : 'same';
  return outdated ? 'edited, outdated' : 'edited';
}

export interface TemplateDifference {
  readonly name: string;
  readonly state: TemplateState;
  /** Unified diff; empty: none. */
  readonly edits: string;
  /** Unified diff since the export; empty: none or unknown. */
  readonly upstream: string;
}

/** Without the exported text every difference is an edit. */
export function templateDifference(name: string, texts: TemplateTexts): TemplateDifference {
  const { shipped, own, pristine } = texts;
  const base = pristine ?? shipped;
  const patch = (from: string, to: string, fromLabel: string, toLabel: string): string =>
    from === to ? '' : createTwoFilesPatch(`${name} ${fromLabel}`, `${name} ${toLabel}`, from, to).replace(/^=+\n/, '');
  return {
    name,
    state: templateState(texts),
    edits: own === null ? '' : patch(base, own, '(shipped at the export)', '(yours)'),
    upstream: own === null ? '' : patch(base, shipped, '(shipped at the export)', '(shipped now)'),
  };
}

export type ExportStep =
  | { readonly name: string; readonly do: 'copy' | 'update' | 'keep'; readonly why: string }
  | { readonly name: string; readonly do: 'refuse'; readonly why: string };

export interface ExportChoice {
  /** Records today's shipped text: merged by hand. */
  readonly takeMine: boolean;
  readonly takeShipped: boolean;
}

/** Updates an unedited copy. */
export function exportStep(name: string, texts: TemplateTexts, { takeMine, takeShipped }: ExportChoice): ExportStep {
  const state = templateState(texts);
  switch (state) {
    case 'shipped':
      return { name, do: 'copy', why: 'new' };
    case 'same':
      return { name, do: 'keep', why: 'equals the shipped template' };
    case 'outdated':
      return { name, do: 'update', why: 'had no edits; now updated to the shipped template' };
    default:
      if (takeShipped) return { name, do: 'update', why: 'edits are discarded' };
      if (takeMine || state === 'edited') return { name, do: 'keep', why: 'edited' };
      return { name, do: 'refuse', why: 'edited, and the shipped template has changed since' };
  }
}
