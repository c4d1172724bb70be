/** What two mounts at a time could come from. Pure. */
import { errorProblem, type Problem } from '../../base/problem.ts';
import { readCrmMon } from '../../pacemaker/crm-mon.ts';

const found = (what: string, fix: string): Problem => errorProblem('check-fencing', what, fix);
const unknown = found(
  'crm_mon does not print whether fencing is on, so nothing is known of it',
  'crm_attribute --name stonith-enabled --query; crm_verify --live-check -V',
);

const device = 'configure a fence device for every member (pcs stonith create, crm configure primitive stonith:...)';
const mounts = 'a member that is cut off keeps the file system mounted while another member mounts it';

/** Fencing, by crm_mon. Output that cannot be read, or lacks the option, is a problem, too. */
export function unprotected(text: string): Problem[] {
  const seen = readCrmMon(text);
  if (seen === null || seen.fencing === null) return [unknown];
  if (!seen.fencing) return [found(`fencing is off: ${mounts}`, `${device}; crm_attribute --name stonith-enabled --update true`)];
  if (seen.resources.some(({ agent }) => agent.startsWith('stonith:'))) return [];
  const what = 'no fence device is configured, so Pacemaker starts nothing, or relies on a watchdog alone';
  return [found(what, `${device}; with sbd: stonith_admin --list-registered`)];
}

/** And what else two mounts at a time could come from. */
export function hazards(text: string): Problem[] {
  const { quorumPolicy = null, nodes = [] } = readCrmMon(text) ?? {};
  const cut = nodes.filter(({ unclean }) => unclean).map(({ name }) => name);
  return [
    ...unprotected(text),
    ...(quorumPolicy === 'ignore'
      ? [found(`no-quorum-policy is ignore: ${mounts}`, 'crm_attribute --name no-quorum-policy --update stop')]
      : []),
    ...cut.map((name) =>
      found(
        `${name} is unclean: it was not fenced, and the group starts nowhere else`,
        `stonith_admin --history ${name}   (prints why); after it is powered off by hand: stonith_admin --confirm ${name}`,
      ),
    ),
  ];
}
