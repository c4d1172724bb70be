/** The work of Serviceguard's modules for a legacy package. Commands, retries and log lines: serviceguard.md 4.3, 4.4, 7.1. */
import { isSameHost } from '../../base/network.ts';
import { words } from '../../base/shell-word.ts';
import { placeOfSet } from '../../contract/package-directory.ts';
import { customerDefined, deviceOf } from '../../contract/policy-file-system.ts';
import { fileSystemTypes } from '../../settings/file-systems.ts';
import { untilTheEnd } from '../deadlines.ts';
import type { Finding } from '../failures.ts';
import { judgeMount, mountAt } from '../judgements.ts';
import { message } from '../messages.ts';
import type { Step } from '../steps/step.ts';
import type { StepContext } from '../steps/steps.ts';
import type { ControlLog } from './legacy-log.ts';

export interface ControlContext extends StepContext {
  readonly directory: string;
  readonly logFile: string | null;
  readonly control: ControlLog;
}

/** A new device may need a moment. */
const mountAttempts = 3;
/** FS_UMOUNT_COUNT and DEACTIVATION_RETRY_COUNT of the modular package. */
const umountRetries = 2;
const deactivationRetries = 2;
const pauseMs = 1000;
const lookLimitMs = 20_000;

/** Has no limit except the package's. */
async function succeeds({ host, logFile }: ControlContext, ...argv: readonly string[]): Promise<boolean> {
  return (await host.attend(argv, logFile)) === 0;
}

function cluster({ host }: ControlContext, name: string): string {
  return `${host.environment.SGSBIN || '/usr/local/cmcluster/bin'}/${name}`;
}

async function tagsOf({ host, settings }: ControlContext): Promise<string[]> {
  const listed = await host.run(['vgs', '--noheadings', '-o', 'vg_tags', settings.volumeGroup], lookLimitMs);
  return listed.stdout.split(/[\s,]+/).filter((tag) => tag !== '');
}

async function groupHere(context: ControlContext): Promise<{ readonly active: boolean; readonly tagged: boolean }> {
  const { host, settings } = context;
  const active = host.facts(deviceOf(settings))?.kind === 'block-device';
  return { active, tagged: (await tagsOf(context)).includes(host.nodeName) };
}

/**
 * Removes the tag of a crashed member only if cmviewcl reports it as failed: a halted one may still hold the file system. What
 * Serviceguard's own script does is unknown (serviceguard.md gap 10).
 */
async function clearTagsOfLostMembers(context: ControlContext): Promise<void> {
  const { host, settings } = context;
  const strangers = (await tagsOf(context)).filter((tag) => tag !== host.nodeName);
  if (strangers.length === 0) return;
  const view = await host.run([cluster(context, 'cmviewcl'), '-f', 'line'], lookLimitMs);
  const failed = [...view.stdout.matchAll(/^node:([^|\n]+)\|state=failed$/gm)].map(([, name = '']) => name);
  for (const tag of strangers)
    if (failed.some((name) => isSameHost(name, tag))) await succeeds(context, 'vgchange', '--deltag', tag, settings.volumeGroup);
}

export function groupActive(context: ControlContext): Step {
  const { host, settings, control } = context;
  const { volumeGroup } = settings;
  return {
    name: 'volume-group',
    limitSeconds: untilTheEnd,
    look: async () => {
      const { active, tagged } = await groupHere(context);
      if (active && tagged) return null;
      return { code: 'group-not-activated', text: `${volumeGroup} is not active here with the tag of ${host.nodeName}` };
    },
    action: {
      what: `vgchange --addtag ${host.nodeName} ${volumeGroup}; vgchange -a y ${volumeGroup}`,
      run: async () => {
        control.note(`Activating volume group ${volumeGroup} with exclusive option.`);
        await clearTagsOfLostMembers(context);
        const tagged = await succeeds(context, 'vgchange', '--addtag', host.nodeName, volumeGroup);
        if (tagged && (await succeeds(context, 'vgchange', '-a', 'y', volumeGroup))) return;
        control.error('activate_volume_group', `Failed to activate ${volumeGroup}`);
      },
    },
    good: () => message('group-active', { group: volumeGroup }),
  };
}

export function groupInactive(context: ControlContext): Step {
  const { host, settings, control } = context;
  const { volumeGroup } = settings;
  return {
    name: 'volume-group',
    limitSeconds: untilTheEnd,
    look: async () => {
      const { active, tagged } = await groupHere(context);
      if (!active && !tagged) return null;
      return { code: 'group-not-deactivated', text: `${volumeGroup} is still ${active ? 'active' : 'tagged'} here` };
    },
    action: {
      what: `vgchange -a n ${volumeGroup}; vgchange --deltag ${host.nodeName} ${volumeGroup}`,
      run: async () => {
        control.note(`Deactivating volume group ${volumeGroup}`);
        const deactivate = () => succeeds(context, 'vgchange', '-a', 'n', volumeGroup);
        const done = await retried(context, deactivate, deactivationRetries, async () => {});
        if (done && (await succeeds(context, 'vgchange', '--deltag', host.nodeName, volumeGroup))) return;
        control.error('deactivate_volume_group', `Failed to deactivate ${volumeGroup}`);
      },
    },
    good: () => message('group-inactive', { group: volumeGroup }),
  };
}

async function retried(
  { host }: ControlContext,
  attempt: () => Promise<boolean>,
  retries: number,
  between: () => Promise<void>,
): Promise<boolean> {
  for (let left = retries; ; left -= 1) {
    if (await attempt()) return true;
    if (left === 0) return false;
    await between();
    await host.pause(pauseMs);
  }
}

/** For types that need it before a mount. */
export function fileSystemChecked(context: ControlContext): Step {
  const { host, settings, control } = context;
  const device = deviceOf(settings);
  const needsNone = !fileSystemTypes[settings.fileSystemType].preened;
  let checked = false;
  return {
    name: 'fsck',
    limitSeconds: untilTheEnd,
    look: () =>
      checked || needsNone || judgeMount(settings, host.mounts()) === null
        ? null
        : { code: 'fsck-failed', text: `${device} has not been checked` },
    action: {
      what: `fsck -t ${settings.fileSystemType} -p ${device}`,
      run: async () => {
        control.note('Checking filesystems:', device);
        const status = await host.attend(['fsck', '-t', settings.fileSystemType, '-p', device], context.logFile);
        // 1: fsck corrected errors.
        checked = status === 0 || status === 1;
        if (!checked) control.error('check_and_mount', `Failed to fsck ${device}`);
      },
    },
    good: () => message(checked ? 'fsck-clean' : 'fsck-unneeded', { device }),
  };
}

export function fileSystemMounted(context: ControlContext): Step {
  const { host, settings, control } = context;
  const { fileSystemType, mountOptions, mountPoint } = settings;
  const device = deviceOf(settings);
  const argv = ['mount', '-t', fileSystemType, ...words(mountOptions), device, mountPoint];
  return {
    name: 'mount',
    limitSeconds: untilTheEnd,
    look: () => {
      const finding = judgeMount(settings, host.mounts());
      return finding === null ? null : { code: 'mount-failed', text: finding.text };
    },
    action: {
      what: argv.join(' '),
      run: async () => {
        control.note(`Mounting ${device} at ${mountPoint}`);
        if (
          await retried(
            context,
            () => succeeds(context, ...argv),
            mountAttempts - 1,
            async () => {},
          )
        )
          return;
        control.error('check_and_mount', `Failed to mount ${device} to ${mountPoint}`);
      },
    },
    good: () => message('mounted', { device, mount_point: mountPoint }),
  };
}

export function fileSystemUnmounted(context: ControlContext): Step {
  const { host, settings, control } = context;
  const { mountPoint } = settings;
  const device = deviceOf(settings);
  const mounted = (): boolean => mountAt(host.mounts(), mountPoint) !== undefined;
  return {
    name: 'umount',
    limitSeconds: untilTheEnd,
    look: () => (mounted() ? { code: 'still-held', text: `${device} is still mounted at ${mountPoint}` } : null),
    action: {
      what: `umount ${mountPoint}`,
      run: async () => {
        control.note(`Unmounting filesystem on ${device}`);
        const evict = async (): Promise<void> => {
          // fuser -m on an unmounted directory would kill the users of the root file system.
          if (!mounted()) return;
          control.warning('Running fuser to remove anyone using the file system directly.');
          await succeeds(context, 'fuser', '-k', '-u', '-m', mountPoint);
        };
        const done = await retried(context, () => succeeds(context, 'umount', mountPoint), umountRetries, evict);
        if (!done) control.error('umount_fs', `Failed to unmount ${device}`);
      },
    },
    good: () => message('unmounted', { mount_point: mountPoint }),
  };
}

export function addressAdded(context: ControlContext): Step {
  const { host, settings, control } = context;
  const { packageAddress, packageSubnet } = settings;
  return {
    name: 'address',
    limitSeconds: untilTheEnd,
    look: () =>
      host.ownsAddress(packageAddress) ? null : { code: 'address-not-added', text: `this member does not own ${packageAddress}` },
    action: {
      what: `cmmodnet -a -i ${packageAddress} ${packageSubnet}`,
      run: async () => {
        control.note(`Adding IP address ${packageAddress} to subnet ${packageSubnet}`);
        if (await succeeds(context, cluster(context, 'cmmodnet'), '-a', '-i', packageAddress, packageSubnet)) return;
        control.error('add_ip_address', `Failed to add IP ${packageAddress} to subnet ${packageSubnet}`);
      },
    },
    good: () => message('address-here', { address: packageAddress }),
  };
}

export function addressRemoved(context: ControlContext): Step {
  const { host, settings, control } = context;
  const { packageAddress, packageSubnet } = settings;
  return {
    name: 'address',
    limitSeconds: untilTheEnd,
    look: async () => {
      // Not ownsAddress: Node.js does not list addresses of an interface without a link, and the link may come back.
      const listed = await host.run(['ip', '-o', 'addr', 'show'], lookLimitMs);
      const gone = listed.exitCode === 0 && !listed.stdout.includes(` ${packageAddress}/`);
      return gone ? null : { code: 'address-not-removed', text: `${packageAddress} is still here` };
    },
    action: {
      what: `cmmodnet -r -i ${packageAddress} ${packageSubnet}`,
      run: async () => {
        control.note(`Remove IP address ${packageAddress} from subnet ${packageSubnet}`);
        if (await succeeds(context, cluster(context, 'cmmodnet'), '-r', '-i', packageAddress, packageSubnet)) return;
        control.error('remove_ip_address', `Failed to remove IP ${packageAddress} from subnet ${packageSubnet}`);
      },
    },
    good: () => message('address-removed', { address: packageAddress }),
  };
}

export function customerCommands(context: ControlContext, word: 'run' | 'halt'): Step {
  const { host, directory, control } = context;
  const program = `${placeOfSet(directory).packageDirectory}/${customerDefined}`;
  const exists = host.canExecute(program);
  let done = false;
  return {
    name: 'customer',
    limitSeconds: untilTheEnd,
    look: () => (done || !exists ? null : { code: 'customer-failed', text: `${program} ${word} has not succeeded` }),
    action: {
      what: `${program} ${word}`,
      run: async () => {
        done = await succeeds(context, program, word);
        if (!done) control.error(`customer_defined_${word}_cmds`, `Failed to ${word.toUpperCase()} customer commands`);
      },
    },
    good: () => (exists ? message('customer-done', { program, word }) : message('customer-none', { program })),
  };
}

function serviceName({ settings }: ControlContext): string {
  return `${settings.packageName}_monitor`;
}

export function serviceStarted(context: ControlContext): Step {
  const { settings, directory, control, logFile } = context;
  const service = serviceName(context);
  const command = `${directory}/csync_control.sh monitor`;
  const restart = { none: [], unlimited: ['-R'] }[String(settings.serviceRestart)] ?? ['-r', String(settings.serviceRestart)];
  let started = false;
  return {
    name: 'service',
    limitSeconds: untilTheEnd,
    look: () => (started ? null : { code: 'service-not-started', text: `${service} is not started yet` }),
    action: {
      what: ['cmrunserv', ...restart, service, command].join(' '),
      run: async () => {
        control.note(`Starting service ${service} using`, `"${command}"`);
        // The redirection belongs to the command of the service [serviceguard.md 4.4].
        const line = logFile === null ? command : `>> ${logFile} 2>&1 ${command}`;
        started = await succeeds(context, cluster(context, 'cmrunserv'), ...restart, service, line);
        if (!started) control.error('start_services', `Failed to start service ${service}`);
      },
    },
    good: () => message('service-started', { service }),
  };
}

/** A service that does not exit never fails a halt [serviceguard.md 4.3]. */
export function serviceHalted(context: ControlContext): Step {
  const { control } = context;
  const service = serviceName(context);
  let asked = false;
  const finding: Finding = { code: 'service-not-halted', text: `${service} may still run` };
  return {
    name: 'service',
    limitSeconds: untilTheEnd,
    optional: true,
    look: () => (asked ? null : finding),
    action: {
      what: `cmhaltserv ${service}`,
      run: async () => {
        control.note(`Halting service ${service}`);
        asked = await succeeds(context, cluster(context, 'cmhaltserv'), service);
        if (!asked) control.warning(`Failed to halt service ${service}`);
      },
    },
    good: () => message('service-halted', { service }),
  };
}
