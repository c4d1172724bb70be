import type { EngineWords } from '../engine.ts';
import { explained } from './explained.ts';

const packageLog = '/var/log/PACKAGE.log';
const unchanged = 'the configuration of the cluster is unchanged';
const correct = `crm_verify --live-check -V   (prints what was wrong before); correct the reported error and apply again; ${unchanged}`;

/** The last line of afterFailure is for all other commands. */
const afterFailure: Readonly<Record<string, string>> = {
  check: correct,
  simulate: correct,
  apply: correct,
  crm_resource:
    'crm_mon -1 -r -f   (prints failed actions); see the package log on the member, repair, then crm_resource --cleanup --resource GROUP',
};

export const words: EngineWords = {
  viewer: 'crm_mon',
  definitionReader: 'cibadmin',
  templateMaker: 'csync templates export',
  checker: 'csync check',
  viewFails: 'crm_mon failed: Pacemaker does not run on that member, or this user is not in group haclient',
  look: 'crm_mon -1 -r -f',
  lookOrStart: 'crm_mon -1 -r -f; systemctl start pacemaker',
  startCluster: 'systemctl start pacemaker   (on each member) starts the cluster',
  autoRun: 'target-role',
  switchedOff: 'target-role is Stopped',
  notEligible: 'may not start the group',
  packageLog,
  maintenanceMode: '(meta attribute maintenance)',
  afterFailure: ([program = '', action = '']) =>
    afterFailure[program] ?? afterFailure[action] ?? `see the package log (${packageLog}) and syslog on the member`,
  join: (host) => `pcs cluster node add ${host}   (or, on ${host}: crm cluster join); then run this command again`,
  leave: (hosts) => `pcs cluster node remove ${hosts.join(' ')}   (or: crm cluster remove)`,
  moveAway: (member, name, other) =>
    `move the group first: crm_resource --resource ${name} --move --node ${other}; crm_resource --wait; crm_resource --resource ${name} --clear --node ${other}   (to have ${member} without resources: crm_standby --node ${member} --update on)`,
  noMaintenance: () => 'csync does not use the maintenance mode of Pacemaker, which has no end',
  explained,
  tooOld: (version) => (/^(0|1)\./.test(version) ? 'csync requires Pacemaker 2.1 or newer' : null),
};
