import { chapter } from './row.ts';

export const members = chapter('Members and the cluster', { parts: ['lab/manager/'], tests: 'pure/lab/lab-requests' }, [
  [
    'After a crash nothing starts before the cluster has re-formed',
    'imitated',
    'L9 p.88',
    'pure/lab/lab-events > nothing starts until the others have re-formed',
  ],
  [
    'cmhaltnode -f: automatic_halt, packages elsewhere, AUTO_RUN untouched',
    'imitated',
    'L9 p.233',
    'cmhaltnode -f moves packages, leaves the switches alone, answers when the member is down',
  ],
  [
    'cmhaltnode without -f is refused while a package runs there',
    'imitated',
    'L9 p.233',
    'cmhaltnode needs -f while a package runs there',
  ],
  ['A failed halt fails cmhaltnode', 'imitated', 'MAN', 'cmhaltnode fails when a package does not halt cleanly'],
  [
    'cmhaltcl -f halts all without failover',
    'imitated',
    'L10 p.195',
    'cmhaltcl -f halts everything and starts nothing elsewhere; cmruncl starts from the configuration',
  ],
  [
    'A joining member starts packages that are down and enabled',
    'imitated',
    'L6 p.292',
    'a member that joins starts what is down and enabled',
  ],
  [
    'A rejoining member that was lost gets its switches back',
    'ours',
    'INFERRED; an option, on',
    'pure/lab/lab-events > a lost member that boots joins again and gets its switch back',
  ],
  [
    'After a total loss the cluster forms once all members are back',
    'imitated',
    'L10 p.195',
    'pure/lab/lab-events > when all members were lost the cluster forms again once all of them have booted',
  ],
  [
    'Quorum server and lock LUN',
    'not imitated',
    'the remaining members always continue',
    'pure/lab/lab-check > what the lab cannot follow is refused with a sentence',
  ],
  ['Live application detach (-d)', 'not imitated', 'refused', 'pure/lab/lab-commands > refuses: %s'],
]);

export const membersChange = chapter('Adding and removing members', { parts: ['lab/manager/'], tests: 'lab/verbs/membership' }, [
  [
    'cmquerycl or cmgetconf, cmcheckconf, cmapplyconf -C: a member is added online, down until cmrunnode',
    'imitated',
    'L9 p.245, GH-add',
    'a spare machine is added online, down until cmrunnode, seen alike from every member',
  ],
  [
    'A running package gets a new member',
    'imitated',
    'L9 p.265',
    'the package gets the new member while it runs, and moves there',
  ],
  [
    'An active node cannot be removed before cmhaltnode -f; unknown hosts are refused',
    'imitated',
    'L9 p.245; the texts are ours',
    'an active node, one that a package lists and an unknown host are refused, each with its fix',
  ],
  [
    'A package that lists a removed node is changed in the same cmapplyconf; also if the node is unreachable',
    'imitated',
    'U19 p.284',
    'pure/lab/lab-members > one that crashed can go while its machine is down, and booted again it joins nothing',
  ],
  [
    'A removed node that a package lists is refused also if reachable; one with a package in maintenance mode always',
    'ours',
    'INFERRED from U19 p.284',
    'pure/lab/lab-members > with the packages that list it, in one command',
  ],
  [
    'A package without node_name, or with *, accepts every added member, without validation',
    'ours',
    'INFERRED',
    'pure/lab/lab-members > it is in the cluster and down until cmrunnode; packages with an open list accept it',
  ],
  [
    'Order of members: remaining ones keep their place, a new one is last',
    'ours',
    'GAP',
    'a halted node is removed together with its line in the package, and can come back',
  ],
  [
    'cm* commands on a machine outside any cluster: only cmversion and cmmakepkg answer',
    'ours',
    'GAP; a real one may also be queried',
    'a spare machine is added online, down until cmrunnode, seen alike from every member',
  ],
  [
    'Events: executables of /etc/csync-lab/events.d run on the member of cmapplyconf, after its answer, with two words (MEMBER_ADDED: m4)',
    'ours',
    'words DSAU, MSW p.202; the call is a GAP (serviceguard.md 8.3)',
    'programs of the events directory are called once a change with two words, and what they say is only noted',
  ],
  ['Packages added or deleted: no event', 'not imitated', 'only the log consolidation of DSAU used it', null],
  [
    'Other changes of the cluster file online: networks, capacities, MEMBER_TIMEOUT',
    'not imitated',
    'refused, or without effect in a lab',
    null,
  ],
]);
