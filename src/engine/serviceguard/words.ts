/** Serviceguard's words, for sentences and advice. */
import type { EngineWords } from '../engine.ts';

const packageLog = '$SGRUN/log';
const stillOld = 'the applied configuration is still the old one';

/** By command; what else a plan types ends with the last line of all. */
const afterFailure: Readonly<Record<string, string>> = {
  cmcheckconf: `correct what it says and apply again; ${stillOld}`,
  cmapplyconf: `correct what it says and apply again; ${stillOld}`,
  cmhaltpkg: `see the package log (${packageLog}) on the member; csync status says what is left behind. The applied configuration is still the old one`,
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
    `cmquerycl -C FILE -c CLUSTER ${named([...members, host])}; cmapplyconf -C FILE; cmrunnode ${host}; then this again`,
  leave: (hosts, members) =>
    `cmhaltnode -f ${hosts.join(' ')}; cmquerycl -C FILE -c CLUSTER ${named(members)}; cmapplyconf -C FILE`,
  moveAway: (member) => `move it first: cmhaltpkg, then cmrunpkg -n OTHER and cmmodpkg -e; or cmhaltnode -f ${member}`,
  noMaintenance: (style) => (style === 'legacy' ? 'Serviceguard has a maintenance mode for modular ones only' : null),
  tooOld: (version) => (isRecent(version) ? null : 'the automation of members needs A.11.17 or newer'),
};

/** DSAU came with A.11.17; before it members do not come and go as this needs [dsau-csync.md 1.2]. Only what is known to be older is refused. */
function isRecent(version: string): boolean {
  const [major, minor] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  return major === undefined || minor === undefined || major > 11 || (major === 11 && minor >= 17);
}
