/** Entries of `csync explain`, in Pacemaker's words. They are written in Serviceguard's. Pure. */
import { inPacemakersWords } from './member-words.ts';

/** Codes that name what Pacemaker does not have: their text stays. */
const ofServiceguard =
  /^(package-(?!group)|change-cm|cluster-(old-serviceguard|variables|file|reforming|host-unknown|member-)|settings-(legacy-path|engine)$|lab-value$|(address|service)-not-|(group|volume)-not-)/;

/** In this order: whole sentences where another command alone would be wrong advice, then commands. */
const sentences: readonly (readonly [from: string, to: string])[] = [
  [
    'Add the node first: `cmquerycl -c CLUSTER -n HOST -C FILE`, `cmapplyconf -C FILE`, `cmrunnode HOST`.',
    'Add the node first: `pcs cluster node add HOST`, or on HOST: `crm cluster join`.',
  ],
  ['`csync member add m4` before `cmapplyconf`.', '`csync member add m4` before `pcs cluster node add m4`.'],
  [
    'Move it: `cmhaltpkg PACKAGE`, `cmrunpkg -n OTHER-MEMBER PACKAGE`, `cmmodpkg -e PACKAGE`',
    'Move it: `crm_resource --resource PACKAGE --move --node OTHER-MEMBER`, `crm_resource --wait`, `crm_resource --resource PACKAGE --clear --node OTHER-MEMBER`',
  ],
  ['LVM or cmmodnet failed', 'LVM or the address failed'],
  ['`cmmodpkg -e` on a node that is not in the package', '`crm_resource` on a node that is not in the cluster'],
  ['which cmcheckconf also runs', 'which the agent also runs (validate-all)'],
  ['`cmgetconf -p OTHER-PACKAGE` prints the other one.', '`cibadmin --query --scope resources` prints the other one.'],
  [
    'To keep the package: `cmmodpkg -e PACKAGE`.',
    'To keep the package: `crm_resource --resource PACKAGE --meta --set-parameter target-role --parameter-value Started`.',
  ],
  [' A legacy package has no maintenance mode of Serviceguard.', ''],
  [
    'Lost policy: `cmmodpkg -m on PACKAGE` allows a partial start. Restore your backup into the policy directory, then `cmmodpkg -m off PACKAGE`.',
    'Lost policy: on a member without the group, mount the policy file system by hand, restore your backup into the policy directory, and unmount it.',
  ],
  ['or the monitor role for your user', 'or add your user to the group haclient'],
  ['`tail -50 $SGRUN/log/PACKAGE.log`', '`tail -50 /var/log/PACKAGE.log`'],
  ['`cmruncl`', '`systemctl start pacemaker`'],
  ['`cmviewcl -v`', '`crm_mon -1 -r -f`'],
];

/** `code`: of the entry whose text it is. */
export function explained(code: string, text: string): string {
  if (ofServiceguard.test(code)) return text;
  return inPacemakersWords(sentences.reduce((said, [from, to]) => said.replaceAll(from, to), text));
}
