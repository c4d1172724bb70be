import { chapter } from './row.ts';

export const commands = chapter(
  'Commands and their output',
  { parts: ['lab/commands/', 'lab/emulation/', 'lab/manager/'], tests: 'pure/lab/lab-view' },
  [
    [
      'Rights: root may do everything, the monitor role (every user of the lab) only views',
      'imitated',
      'U11 p.187, p.300',
      'lab/verbs/status > a user with the monitor role sees the package; what it may not see is not known, and it changes nothing',
    ],
    ['cmviewcl, plain table, to the blank', 'imitated', 'GH-wiki', 'plain cmviewcl is the published screen, blank for blank'],
    [
      'cmviewcl -v: sections, headings, order; the spacing is ours',
      'imitated',
      'L10 p.238; spacing INFERRED',
      '-v has the sections of the manual in their order',
    ],
    [
      'cmviewcl -v of a package that runs nowhere',
      'imitated',
      'L8 p.254',
      '-v of a package that runs nowhere lists subnets once for each member',
    ],
    [
      'cmviewcl -f line, prefixes and attributes that were published',
      'imitated',
      'MAN cmviewcl(5), MIG p.11',
      'with -p the attributes stand bare, in the published order',
    ],
    [
      'summary: ok, degraded, critical',
      'ours',
      'words MIG p.11; their limits INFERRED',
      'summary and highly_available say whether the package could still move',
    ],
    [
      'cmrunpkg success texts',
      'imitated',
      'GH-gdha',
      'pure/lab/lab-requests > are answered when the script has ended, with the texts of the real commands',
    ],
    [
      'All other success and prompt texts',
      'ours',
      'GAP',
      'pure/lab/lab-commands > every text says where it was seen, or that it is ours',
    ],
    ['Preview -t', 'imitated', 'L9 p.243', 'pure/lab/lab-requests > shows where the package would go and changes nothing'],
    [
      'cmmakepkg: modules, kept values; comments and order of sections',
      'imitated',
      'L10 p.201; comments and order ours',
      'pure/render/package-file > -i keeps every value of the existing file and adds modules',
    ],
    [
      'cmcheckconf: values, modules, groups, members, scripts with validate',
      'imitated',
      'L9 p.219',
      'pure/lab/lab-check > what is missing or fails on one member is reported with the member',
    ],
    [
      'Changes that would start or mount something in a running package',
      'not imitated',
      'L9 p.265; refused',
      'pure/lab/lab-check > what would have to be started or mounted may not',
    ],
    [
      'A package added online starts with switching disabled',
      'ours',
      'INFERRED; an option',
      'pure/lab/lab-requests > a package added while the cluster runs is off until cmmodpkg -e',
    ],
    ['Toolkit modules', 'not imitated', 'refused by cmcheckconf', 'pure/lab/lab-check > refuses or warns about: %s'],
  ],
);

export const legacy = chapter('Legacy packages', { parts: ['lab/manager/', 'serviceguard/'], tests: 'pure/lab/lab-legacy' }, [
  [
    'cmcheckconf: control scripts executable on every member, time-outs, keywords; no script is called',
    'imitated',
    'A1120c p.235, RN18U p.35, L9 p.219',
    'looks for the control scripts on every member and calls none of them',
  ],
  [
    'Services are those of the control script, with the restarts of cmrunserv',
    'imitated',
    'TMPL, MAN cmrunserv',
    'are those its script has started, with the restarts of cmrunserv',
  ],
  [
    'A halt with exit status 3 counts as 1',
    'ours',
    'INFERRED from A1120b p.210',
    'a halt of a legacy package that ends with 3 counts as 1',
  ],
  ['No maintenance mode', 'imitated', 'A1120c p.222', 'a legacy package has no maintenance mode'],
  [
    'cmviewcl: style, scripts, order of attributes',
    'imitated',
    'MIG p.11; the value of style INFERRED',
    'cmviewcl of a legacy package has style and scripts, in the published order',
  ],
  [
    'cmmakepkg -p; its comments and order are ours',
    'ours',
    'L8 p.327 has only the option',
    "pure/member/legacy > lies over cmmakepkg -p's output, comments and all",
  ],
  [
    'RUN_SCRIPT and HALT_SCRIPT get start and stop, their environment, their log',
    'imitated',
    'TMPL, U12 p.293',
    'lab/verbs/legacy > is a running package whose log has the lines of the template',
  ],
  [
    'cmrunserv and cmhaltserv only while a script of the package runs; cmmodnet also by hand',
    'imitated',
    'MAN cmrunserv, L9 p.285; the texts are ours',
    'lab/verbs/legacy > the commands of control scripts refuse what they have to refuse',
  ],
  [
    "Serviceguard's own control script template (cmmakepkg -s), cmmigratepkg",
    'not imitated',
    'refused; csync brings its own',
    null,
  ],
]);
