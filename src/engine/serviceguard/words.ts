import type { EngineWords } from '../engine.ts';

const packageLog = '$SGRUN/log';
const stillOld = 'the applied configuration is unchanged';

/** The last line is for all other commands. */
const afterFailure: Readonly<Record<string, string>> = {
  cmcheckconf: `correct the reported error and apply again; ${stillOld}`,
  cmapplyconf: `correct the reported error and apply again; ${stillOld}`,
  cmhaltpkg: `see the package log (${packageLog}) on the member; csync status shows what the member still holds. The applied configuration is unchanged`,
  cmrunpkg: `see the package log (${packageLog}) on the member, repair, then cmmodpkg -e -n MEMBER PACKAGE and cmmodpkg -e PACKAGE`,
};

const named = (hosts: readonly string[]): string => hosts.map((host) => `-n ${host}`).join(' ');

export const words: EngineWords = {
  viewer: 'cmviewcl',
  definitionReader: 'cmgetconf',
  templateMaker: 'cmmakepkg',
  checker: 'cmcheckconf -P',
  viewFails: 'cmviewcl failed: the cluster does not run on that member, or this user has no monitor role',
  look: 'cmviewcl -v',
  lookOrStart: 'cmviewcl -v; cmruncl or cmrunnode',
  startCluster: 'cmruncl starts a cluster',
  switchedOff: 'AUTO_RUN disabled',
  autoRun: 'AUTO_RUN',
  notEligible: 'is not eligible ("Node is not eligible")',
  packageLog,
  maintenanceMode: '[cmmodpkg -m]',
  afterFailure: ([program = '']) => afterFailure[program] ?? `see the package log (${packageLog}) and syslog on the member`,
  join: (host, members) =>
    `cmquerycl -C FILE -c CLUSTER ${named([...members, host])}; cmapplyconf -C FILE; cmrunnode ${host}; then run this command again`,
  leave: (hosts, members) =>
    `cmhaltnode -f ${hosts.join(' ')}; cmquerycl -C FILE -c CLUSTER ${named(members)}; cmapplyconf -C FILE`,
  moveAway: (member, name, other) =>
    `move the package first: cmhaltpkg ${name}; cmrunpkg -n ${other} ${name}; cmmodpkg -e ${name}   (to have ${member} out of the cluster: cmhaltnode -f ${member})`,
  noMaintenance: (style) => (style === 'legacy' ? 'Serviceguard has a maintenance mode only for modular packages' : null),
  explained: (_code, text) => text,
  tooOld: (version) => (isRecent(version) ? null : 'adding or removing members requires A.11.17 or newer'),
};

/** Older than A.11.17, DSAU's version, cannot change members online [dsau-csync.md 1.2]. Unknown is accepted. */
function isRecent(version: string): boolean {
  const [major, minor] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  return major === undefined || minor === undefined || major > 11 || (major === 11 && minor >= 17);
}
