import { code } from './entry.ts';

const unchanged = 'Nothing was changed. If the package runs, it goes on serving the policy.';
const oneHost = 'csync skipped this host only. All others were set up.';
const labOnly = 'Only the lab is concerned: its cluster configuration stays as it is.';

export const clusterCodes = {
  'cluster-unreachable': code('cannotRunHere', 'A member or host cannot be reached by ssh.', {
    cluster: 'csync does not know the condition of this host. The package may run there, so csync does not assume otherwise.',
    why: 'ssh failed: host down, network, host key, login, or no answer within the limit. The message has the reason.',
    fix: [
      '`ssh HOST true` must succeed without a password.',
      '`cmviewcl` shows whether the cluster still sees the member.',
      'Host key changed after a reinstallation: `ssh-keygen -R HOST`, then log in once.',
    ],
    example: 'm3 is powered off; `csync status` shows m1 and m2 only.',
    page: 'runbook',
  }),
  'cluster-not-running': code('cannotRunHere', 'The package does not run, and the verb needs an active member.', {
    cluster: 'No member serves the policy now. Hosts keep running the policy they have.',
    why: 'The package is halted or failed, or the member it runs on cannot be reached.',
    fix: [
      '`csync status` prints the reason and the command that starts it.',
      'After a failed script: `csync recover`.',
      'Then run the same command again.',
    ],
    example: '`csync policy commit`, while the package is halted.',
    page: 'runbook',
  }),
  'cluster-not-root': code('cannotRunHere', 'The login on a host is not root.', {
    cluster: oneHost,
    why: 'ssh reaches the host as another user. Keys and policy of cfengine belong to root there.',
    fix: [
      '`ssh HOST id` must print uid=0.',
      'Add to ~/.ssh/config: `Host HOST` and `User root`.',
      'Where root must not log in: `become: sudo` in csync.yaml. docs/how-to/without-root-ssh.md has the rule of sudo.',
    ],
    example: 'Your ~/.ssh/config has `User anna` for all hosts.',
    page: 'ssh',
  }),
  'cluster-no-cfengine': code('cannotRunHere', 'Programs of cfengine are missing on a host.', {
    cluster: oneHost,
    why: 'cf-agent, cf-serverd or cf-key (cfengine 2: cfagent, cfservd, cfkey) cannot be run on the host.',
    fix: ['Install cfengine there.', 'If it is elsewhere: correct cfengine_bin_directory in csync.yaml, then `csync apply`.'],
    example: 'A client that was reinstalled without cfengine.',
    page: 'install',
  }),
  'cluster-enterprise': code('cannotRunHere', 'A host has CFEngine Enterprise, which csync does not support.', {
    cluster: oneHost,
    why: 'CFEngine Enterprise names keys root-SHA=.... It does not find the keys that csync writes (root-MD5=...).',
    fix: ['Install CFEngine Community on the host, then run the same command again.'],
    example: '`cf-key -p PPKEYS/localhost.pub` prints SHA=....',
    page: 'hardened',
  }),
  'cluster-no-status': code('cannotRunHere', 'cmviewcl does not list the package, so the active member is unknown.', {
    cluster: 'csync does not know where the package runs, so it changes nothing.',
    why: 'cmviewcl does not list the package: the cluster is down there, or the package was never applied.',
    fix: [
      '`cmviewcl -v -p PACKAGE` on a member.',
      'Cluster down: `cmruncl`. Never applied: `csync members sync`, then `csync apply --run`.',
    ],
    example: '`csync recover` after all members lost power.',
    page: 'Serviceguard',
  }),
  'cluster-silent': code('cannotRunHere', 'cmviewcl does not list the members of the cluster.', {
    cluster: unchanged,
    why: 'cmviewcl printed no members, so csync cannot confirm that the host belongs to the cluster.',
    fix: ['`cmviewcl` on a member must list the nodes.', 'If it prints an error: `cmruncl`, or the monitor role for your user.'],
    example: '`csync member add m4`, while the cluster daemon is down.',
    page: 'members',
  }),
  'cluster-old-serviceguard': code('cannotRunHere', 'Serviceguard is older than modular packages.', {
    cluster: unchanged,
    why: 'Modular packages need Serviceguard A.11.18 or newer.',
    fix: ['Set `package_style: legacy` in csync.yaml.', 'Or update Serviceguard on all members first.'],
    example: 'Serviceguard A.11.16 on m1.',
    page: 'install',
  }),
  'cluster-variables': code(
    'cannotRunHere',
    'The file with the variables of Serviceguard cannot be read, or other users can change it.',
    {
      cluster: unchanged,
      why: 'A shell reads /etc/cmcluster.conf, as root. csync refuses to run a file that other users can change, and reports what the shell prints.',
      fix: [
        'Take it from other users: `chown root /etc/cmcluster.conf; chmod go-w /etc/cmcluster.conf`.',
        '`sh -n /etc/cmcluster.conf` prints the line of a syntax error.',
      ],
      example: 'A cmcluster.conf with mode 0666.',
      page: 'install',
    },
  ),
  'cluster-key-unreachable': code('cannotRunHere', 'The key of the cluster exists only on members that do not answer.', {
    cluster: 'Members and clients keep their keys. csync makes no second key pair: clients would refuse it.',
    why: 'Only members that do not answer have the private key of the cluster.',
    fix: [
      'Bring one of them up: the message names it.',
      'Run the same command again.',
      'If all are lost for good: restore ppkeys from a backup.',
    ],
    example: 'm1 is the only member that is set up, and it is down.',
    page: 'keys',
  }),
  'cluster-policy-unreadable': code('cannotRunHere', 'The policy of the master could not be read.', {
    cluster: 'The master goes on serving. Only this command could not read its policy.',
    why: 'The active member did not answer in time, or other commits changed the policy during each attempt.',
    fix: [
      'Run the same command again.',
      'If it fails again: `csync status`, then `ls` of the policy directory on the active member.',
    ],
    example: 'Two administrators commit at the same moment.',
    page: 'policy',
  }),
  'cluster-no-address': code('cannotRunHere', 'A client has no address by which the master could recognize it.', {
    cluster: oneHost,
    why: 'The master recognizes a host by its address. This one has none in the subnet of the package.',
    fix: ['`ssh HOST ip addr` prints its addresses.', 'Let ssh reach it by the address it also uses for the master.'],
    example: 'A client behind address translation.',
    page: 'clients',
  }),
  'cluster-odd-addresses': code('cannotRunHere', 'A host reports addresses that cannot be used.', {
    cluster: oneHost,
    why: 'The host reports too many addresses, or text that is no address. csync does not put that into the policy.',
    fix: [
      '`ssh HOST ip addr` prints what it reports.',
      'Remove leftovers, such as bridges of containers, then run the command again.',
    ],
    example: 'A container host with hundreds of addresses.',
    page: 'clients',
  }),
  'cluster-odd-key': code('cannotRunHere', 'A host has a public key that cannot be accepted.', {
    cluster: oneHost,
    why: 'ppkeys/localhost.pub of the host is empty, too large or no public key.',
    fix: ['Make a new pair on the host: `cf-key` (cfengine 2: `cfkey`).', 'Then `csync client add HOST --accept-new-key`.'],
    example: 'A full disk left an empty localhost.pub.',
    page: 'clients',
  }),
  'cluster-file': code('cannotRunHere', 'A cluster configuration file of the lab is wrong.', {
    cluster: labOnly,
    why: 'A line of the cluster configuration file is misspelled or in the wrong place.',
    fix: ['Write a correct file: `cmgetconf FILE`.', 'Edit that one, then `cmcheckconf -C FILE`.'],
    example: 'NETWORK_INTERFACE before any NODE_NAME.',
    page: 'lab',
  }),
  'cluster-no-member': code('cannotRunHere', 'The host is not a member of the Serviceguard cluster.', {
    cluster: unchanged,
    why: 'csync sets up only hosts that Serviceguard already lists as nodes.',
    fix: [
      'Add the node first: `cmquerycl -c CLUSTER -n HOST -C FILE`, `cmapplyconf -C FILE`, `cmrunnode HOST`.',
      'Then `csync member add HOST`.',
    ],
    example: '`csync member add m4` before `cmapplyconf`.',
    page: 'members',
  }),
  'cluster-reforming': code('cannotRunHere', 'The cluster is re-forming after the loss of a member.', {
    cluster: 'The cluster decides which members remain. A failover may be in progress.',
    why: 'A member was lost some seconds ago. Until the cluster has formed again, it accepts no change.',
    fix: ['Wait until `cmviewcl` shows the lost node as failed.', 'Then run the same command again.'],
    example: 'A command right after a power failure of m1.',
    page: 'Serviceguard',
  }),
  'cluster-host-unknown': code('cannotRunHere', 'The lab has no host with that name.', {
    cluster: labOnly,
    why: 'The lab has no machine of this name.',
    fix: ['`csync lab status` lists the machines.', 'More machines: `csync lab up --spares m4,m5`.'],
    example: '`cmquerycl -n m9` in a lab of three members.',
    page: 'lab',
  }),
  'cluster-host-unreachable': code('cannotRunHere', 'A host of the lab is switched off or cut off.', {
    cluster: labOnly,
    why: 'The lab machine is powered off, or its network cable is unplugged.',
    fix: ['`csync lab boot HOST`, or `csync lab heal HOST`.', 'Then run the command again.'],
    example: 'After `csync lab crash m2`.',
    page: 'lab',
  }),
  'cluster-member-active': code('cannotRunHere', 'A member that runs in the cluster cannot be removed from it.', {
    cluster: labOnly,
    why: 'Serviceguard removes halted nodes only.',
    fix: ['`cmhaltnode -f HOST`; its packages move to other members.', 'Then run `cmapplyconf -C FILE` again.'],
    example: '`cmapplyconf` without m3, while m3 runs.',
    page: 'members',
  }),
  'cluster-member-listed': code('cannotRunHere', 'A member that a package lists cannot be removed from the cluster.', {
    cluster: labOnly,
    why: 'A package still lists the node, so the cluster cannot drop it.',
    fix: [
      'Remove it from our package: `csync member remove HOST`.',
      'Other packages: `cmgetconf -p PACKAGE FILE`, edit, `cmapplyconf -P FILE`.',
    ],
    example: '`cmapplyconf -C` without m3, while the package csync lists m3.',
    page: 'members',
  }),
  'cluster-member-maintenance': code('cannotRunHere', 'A package in maintenance mode runs on the member.', {
    cluster: labOnly,
    why: 'A package in maintenance mode runs on the node, so Serviceguard does not remove the node.',
    fix: ['`cmmodpkg -m off PACKAGE`, or `csync maintenance off`.', 'Then remove the node.'],
    example: 'm1 during `csync maintenance on --serviceguard`.',
    page: 'maintenance',
  }),
};
