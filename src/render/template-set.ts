/**
 * The templates of administrators: their list, the state of an exported copy against the shipped one, and what both sides changed since the
 * export. Pure.
 */
import { createTwoFilesPatch } from 'diff';

export interface TemplateEntry {
  /** Below package-templates, and below an administrator's directory. */
  readonly name: string;
  readonly becomes: string;
}

export const templateCatalogue: readonly TemplateEntry[] = [
  { name: 'modular/package.conf.tpl', becomes: 'the package file for cmcheckconf and cmapplyconf' },
  { name: 'modular/launcher.sh.tpl', becomes: 'csync.sh, csync_pre.sh; csync_control.sh: what Serviceguard calls' },
  { name: 'legacy/package.conf.tpl', becomes: 'the package file of a legacy package' },
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

/** Where an export keeps the shipped texts of that moment. */
export const pristineDirectory = '.shipped';

/** The three texts of one template; null: missing. */
export interface TemplateTexts {
  readonly shipped: string;
  /** The administrator's copy; it replaces the shipped one. */
  readonly own: string | null;
  /** The shipped text at the time of the export. */
  readonly pristine: string | null;
}

export type TemplateState =
  /** No copy: the shipped template is used. */
  | 'shipped'
  /** A copy that equals the shipped template. */
  | 'same'
  /** A copy with edits; the shipped template is unchanged since the export, or the exported text is unknown. */
  | 'edited'
  /** A copy without edits of an older shipped template. */
  | 'outdated'
  /** Both sides changed it: merge the changes of the shipped one by hand. */
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
  /** Unified diff of the administrator's edits; empty for none. */
  readonly edits: string;
  /** Unified diff of the changes in the shipped template since the export; empty for none or unknown. */
  readonly upstream: string;
}

/** Who changed what since the export; without the exported text every difference counts as an edit. */
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

/** What an export does with one template. */
export type ExportStep =
  | { readonly name: string; readonly do: 'copy' | 'update' | 'keep'; readonly why: string }
  | { readonly name: string; readonly do: 'refuse'; readonly why: string };

export interface ExportChoice {
  /** Keep the edited copy and record today's shipped text: its changes were merged by hand. */
  readonly takeMine: boolean;
  /** Discard the edits. */
  readonly takeShipped: boolean;
}

/** Edits are discarded only with --take-shipped; a copy without edits is updated. */
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
