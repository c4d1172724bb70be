import { code } from './entry.ts';

const nothing = 'Nothing was changed in the cluster.';

export const hereCodes = {
  'here-not-root': code('cannotRunHere', 'The verb requires root.', {
    cluster: nothing,
    why: 'A lab and a conformance test make network namespaces, mounts and a loop device. Only root may do that.',
    fix: ['Run the same command with `sudo`.', 'Without root: `csync check --offline`, `csync render`, `csync lab simulate`.'],
    example: '`csync lab demo` as an ordinary user.',
    page: 'lab',
  }),
  'here-not-built': code('cannotRunHere', 'The compiled member scripts are missing.', {
    cluster: nothing,
    why: 'dist/member holds no compiled scripts, so csync cannot render a package.',
    fix: ['In the source tree: `npm ci && npm run build`.', 'Otherwise install csync again.'],
    example: 'A fresh clone, before the first build.',
    page: 'install',
  }),
  'here-programs-missing': code('cannotRunHere', 'Programs that the verb needs are not installed.', {
    cluster: nothing,
    why: 'The lab uses programs of the system: losetup, mkfs.ext4, cf-serverd and others.',
    fix: ['Run the `apt-get install` line of the message.', 'Then run the same command again.'],
    example: '`csync lab up` on a host without e2fsprogs.',
    page: 'lab',
  }),
  'here-no-cfengine': code('cannotRunHere', 'cfengine is not installed on this host.', {
    cluster: nothing,
    why: '`csync conform` tests the scripts with the real cfengine of this host, and did not find it.',
    fix: ['Install it: `apt-get install cfengine3`.', 'If it is elsewhere: set cfengine_bin_directory in the settings.'],
    example: '`csync conform` on a laptop.',
    page: 'install',
  }),
  'here-fips': code('cannotRunHere', 'The Node.js that runs csync refuses MD5, because it follows FIPS mode.', {
    cluster: nothing,
    why: 'cfengine names keys by MD5. Without it csync recognizes no key, and every key would look damaged.',
    fix: [
      'Run csync with bin/node of nodejs.org, which has an OpenSSL of its own: `/opt/node/bin/node CSYNC.mjs members sync`.',
      'Or run csync on a host without FIPS mode.',
    ],
    example: '`csync members sync` on RHEL 9 with FIPS mode and Node.js of the distribution.',
    page: 'hardened',
  }),
  'here-no-sandbox': code('cannotRunHere', 'This host cannot make the sandbox of a conformance test.', {
    cluster: nothing,
    why: 'The kernel or the container refuses namespaces, mounts or loop devices.',
    fix: ['Use a virtual machine or a host instead of a container.', 'Check: `unshare --mount --net true` as root must succeed.'],
    example: '`csync conform` in an unprivileged container.',
    page: 'lab',
  }),
  'here-legacy': code('cannotRunHere', 'A conformance test works with modular packages only.', {
    cluster: nothing,
    why: 'A conformance test calls the scripts of a modular package. A legacy control script also mounts and adds the address.',
    fix: [
      'Test with `package_style: modular`: both styles share their scripts.',
      'A legacy package as a whole: `csync lab demo --style legacy`.',
    ],
    example: '`csync conform` with a legacy csync.yaml.',
    page: 'lab',
  }),
  'here-output': code('cannotRunHere', 'A part of the output could not be written. What the verb did is done.', {
    cluster: 'What the verb did is done. Only its text is missing.',
    why: 'The disk or the pipe behind the output failed while csync printed.',
    fix: ['Free space where the output goes: `df`.', '`csync status` prints the present condition.'],
    example: '`csync apply --yes > /var/log/apply.log` on a full disk.',
    page: 'verbs',
  }),
  'here-settings-exist': code('cannotRunHere', 'The settings file already exists; --force replaces it.', {
    cluster: nothing,
    why: '`csync init` does not overwrite a settings file.',
    fix: ['Edit the file, then `csync settings check`.', 'Write another one: `--output FILE`. Replace it: `--force`.'],
    example: 'A second `csync init` in the same directory.',
    page: 'install',
  }),
  'here-cross-subnet': code('cannotRunHere', 'The members have no common subnet; csync does not support such a cluster.', {
    cluster: 'Nothing was written. In such a cluster the package address could not move to every member.',
    why: 'The members share no subnet, so no address works on all of them.',
    fix: [
      'Choose members that share a subnet.',
      'Or make a host outside of the cluster the master, and add the members as its clients.',
    ],
    example: 'm1 and m2 are in one data centre, m3 and m4 in another subnet.',
    page: 'install',
  }),
  'here-member-unseen': code('cannotRunHere', 'A member could not be checked.', {
    cluster: 'csync.yaml is written, but one member was not checked. A failover to it may fail.',
    why: 'ssh to the member failed, or the cluster does not list it.',
    fix: ['Test: `ssh MEMBER true`.', 'Then `csync check` checks that member, too.'],
    example: 'm3 is down during `csync init`.',
    page: 'ssh',
  }),
  'here-cfengine-missing': code('cannotRunHere', 'cfengine was not found on a member.', {
    cluster: 'That member cannot be the master until cfengine is installed.',
    why: 'The programs are missing on the member, or in another directory than cfengine_bin_directory.',
    fix: ['Install cfengine there as on the other members.', 'Or correct cfengine_bin_directory, then `csync check`.'],
    example: 'm3 has cfengine in /opt/cfengine/bin.',
    page: 'install',
  }),
  'here-node-missing': code('cannotRunHere', 'No Node.js that is new enough was found on a member.', {
    cluster: 'On that member no script of the package would start.',
    why: 'The member has no Node.js, one that is too old, or one in another place than node_path.',
    fix: ['Install Node.js there, or correct node_path.', 'Or copy one to all members: `csync apply --with-runtime`.'],
    example: 'm3 has Node.js 18.',
    page: 'nodejs',
  }),
  'here-volume-group-missing': code('cannotRunHere', 'A member does not have the volume group.', {
    cluster: 'On that member the package could not start: it has no access to the policy file system.',
    why: '`vgs` does not list the volume group: the disks are not presented to the member, or not scanned.',
    fix: ['Present the disks, then `pvscan --cache` and `vgs` on the member.', '`csync check` checks it again.'],
    example: 'A new member without access to the storage.',
    page: 'install',
  }),
  'lab-unavailable': code('cannotRunHere', 'The lab does not run, or cannot be started here.', {
    cluster: 'Only the lab is concerned. No real cluster was touched.',
    why: 'The lab does not run, another one runs, or this machine has too little room in /run.',
    fix: [
      '`csync lab status` shows a running lab; `csync lab up` starts one.',
      'After a crash: `csync lab down`, then `csync lab up`.',
    ],
    example: '`csync lab exec m1 -- date` without a lab.',
    page: 'lab',
  }),
  'lab-module': code('cannotRunHere', 'The lab does not imitate a module of the package.', {
    cluster: 'The package was not applied in the lab. On a real cluster the module works.',
    why: 'The lab imitates the modules that csync needs, and refuses the others.',
    fix: ['Leave the module out in the lab.', 'Or rehearse on a real cluster: `csync rehearse`.'],
    example: '`module_name sg/dependency`.',
    page: 'lab',
  }),
  'lab-module-idle': code('cannotRunHere', 'The lab accepts a module of the package, and ignores it.', {
    cluster: 'The package runs in the lab, but the module has no effect there.',
    why: 'The lab accepts the module and ignores it; FIDELITY.md has the reason.',
    fix: ['Nothing is required. On a real cluster the module works.'],
    example: 'A module that only sets priorities.',
    page: 'lab',
  }),
  'lab-value': code('cannotRunHere', 'The lab does not imitate a value of the package file.', {
    cluster: 'The package was not applied in the lab. On a real cluster the value works.',
    why: 'The lab would behave differently from Serviceguard with this value, so it refuses it.',
    fix: ['Use another value in the lab.', 'Or rehearse on a real cluster: `csync rehearse`.'],
    example: '`failover_policy min_package_node`.',
    page: 'lab',
  }),
};
