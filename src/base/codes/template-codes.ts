import { code } from './entry.ts';

const untouched = 'Nothing was written and nothing was changed. The package keeps the files that were applied last.';
const policyStays = 'Nothing was committed. The master serves the policy as before, and hosts keep running it.';

export const templateCodes = {
  'template-missing': code('badInput', 'A template of csync is missing.', {
    cluster: untouched,
    why: 'A file of csync itself is missing, mostly after an incomplete copy of the dist/ directory.',
    fix: ['Install csync again, or build it: `npm ci && npm run build`.', 'Without your own templates: leave `--templates` out.'],
    example: 'Only dist/csync.mjs was copied to the host.',
    page: 'install',
  }),
  'template-malformed': code('badInput', 'A template has a token that cannot be read.', {
    cluster: untouched,
    why: 'Text in double braces is no token: braces are not closed, or the name has capital letters or blanks.',
    fix: ['Correct it at the line and column of the message.', '`csync templates check --templates DIR` checks all templates.'],
    example: '`{{ package name }}`; the token is `{{package_name}}`.',
    page: 'templates',
  }),
  'template-unknown-token': code('badInput', 'A template has a token that csync does not know.', {
    cluster: untouched,
    why: 'No token has this name. csync stops, because an unreplaced token in a package file would break the package.',
    fix: ['Use the name that the message suggests.', 'package-templates/README.md lists all tokens.'],
    example: '`{{package_nme}}`.',
    page: 'templates',
  }),
  'template-unused-token': code('badInput', 'A template lacks a token that it must use.', {
    cluster: untouched,
    why: 'Your template lacks a token. The setting behind it would have no effect, and you would not notice.',
    fix: ['Insert the token that the message names.', '`csync templates diff DIR` shows where the shipped template has it.'],
    example: 'A package file with a fixed `vg vg01` instead of `{{volume_group}}`.',
    page: 'templates',
  }),
  'template-header': code('badInput', 'A template of the policy lacks the header by which csync recognizes its own files.', {
    cluster: untouched,
    why: 'csync recognizes its own policy files by their header. Without it, csync would treat them as yours and never update them.',
    fix: ['Make `# {{policy_header}}` the first line. In a script it is the second, behind #!.'],
    example: 'A comment was inserted above the header.',
    page: 'templates',
  }),
  'template-stray': code('badInput', 'A file among your templates has no name of a template, so it would never be used.', {
    cluster: untouched,
    why: 'The file has no name of a template, so csync would never read it. Mostly a copy or a misspelled name.',
    fix: ['Rename the file as the message says, or move it elsewhere.', '`csync templates list` prints the names.'],
    example: 'modular/package.conf.tpl.bak.',
    page: 'templates',
  }),
  'policy-host': code('badInput', 'A host of the policy has a name or an address that must not be rendered.', {
    cluster: 'The policy was not written. The master serves the previous one.',
    why: 'Policy consists of names and addresses. A host with other characters could change what the policy means.',
    fix: ['Correct the name or address where the host is registered: csync.yaml, DNS or /etc/hosts.', 'Run the command again.'],
    example: 'A client named `c1;rm`.',
    page: 'policy',
  }),
  'policy-domain': code('badInput', 'The DNS name of the package has no domain, which cfengine 2 requires.', {
    cluster: 'The policy was not written. cfagent would not run with it.',
    why: 'cfengine 2 needs a domain, and csync takes it from package_dns_name.',
    fix: [
      'Set package_dns_name to a name with a domain, such as policy.example.com.',
      'Run `csync apply`, then the command again.',
    ],
    example: '`package_dns_name: policy`.',
    page: 'policy',
  }),
  'policy-members': code('badInput', 'The policy would contain no member.', {
    cluster: 'The policy was not written. Without members in it, no host would accept a remote run.',
    why: 'No member of the cluster is set up yet.',
    fix: ['`csync members sync` sets up all members.', 'Then run the command again.'],
    example: '`csync client add c1` before the first `csync members sync`.',
    page: 'members',
  }),
  'policy-name': code('badInput', 'A file of an edit has a name that the policy must not contain.', {
    cluster: policyStays,
    why: 'The name would leave the policy directory, is hidden, or belongs to csync.',
    fix: ['Rename the file: letters, digits, dots, dashes, underscores, and folders.', 'Commit again.'],
    example: '`../site.cf`.',
    page: 'policy',
  }),
  'policy-toolkit-file': code('badInput', 'An edit changes a file that csync writes.', {
    cluster: policyStays,
    why: 'csync writes this file from its templates, so the next change of members would overwrite your edit.',
    fix: [
      'Put your policy into site.cf (cfengine 2: site.main) or into a file of your own.',
      'To change what csync writes: `csync templates export DIR`, edit, then use `--templates DIR`.',
    ],
    example: 'An edit of promises.cf.',
    page: 'policy',
  }),
  'policy-no-base': code('badInput', 'An edit of an existing file does not name the policy that it started from.', {
    cluster: policyStays,
    why: 'The file exists on the master, and csync does not know which version you edited. Your edit could undo another one.',
    fix: [
      'Start from a working copy: `csync policy show --copy DIR`, edit there, `csync policy commit DIR`.',
      'If you did start from the present policy: add `--base DIGEST` as the message prints it.',
    ],
    example: '`csync policy commit site.cf` from your home directory.',
    page: 'policy',
  }),
  'policy-refused': code('badInput', "cfengine's parser refuses the policy with this edit. Nothing was committed.", {
    cluster: policyStays,
    why: 'Before it commits, csync runs the parser of cfengine on the master over the policy with your edit. The parser refused it.',
    fix: ['Correct the line that the parser names.', 'Run the same command again.'],
    example: 'A missing semicolon in site.cf.',
    page: 'policy',
  }),
  'file-unreadable': code('badInput', 'A file or directory that the verb needs cannot be read.', {
    cluster: 'Nothing was changed.',
    why: 'The file or directory is missing, or your user may not read it. For csync.yaml: it is in another directory.',
    fix: [
      'No csync.yaml yet: `csync init` writes it.',
      'It is elsewhere: `cd` to its directory, or add `--settings FILE`.',
      'On a member, without csync.yaml: `--settings PACKAGE-DIRECTORY/settings.json`.',
    ],
    example: '`csync status` in /root, while csync.yaml is in /etc/csync.',
    page: 'settings',
  }),
  'file-newer': code('badInput', 'A newer csync wrote a file, in a form that this version does not know.', {
    cluster: 'Nothing was changed, and the package goes on as before.',
    why: 'Members or administrators use different versions of csync, and this one is the older.',
    fix: [
      '`csync toolkit status` lists the version on each member.',
      'Run the newer csync, or install it: [upgrade](../how-to/operate/upgrade.md).',
    ],
    example: 'csync was upgraded on m1, and the command was typed on m2.',
    page: 'upgrade',
  }),
  'file-open-to-others': code('badInput', 'Other users can change a file that root is about to use.', {
    cluster: 'Nothing was changed. With this file, another user could decide what root does on all members.',
    why: 'The file or a directory above it belongs to another user, or group or others may write it.',
    fix: [
      'Read the content first: was it changed?',
      'Then `chown root FILE` and `chmod go-w FILE`, also for the directories that the message names.',
    ],
    example: 'csync.yaml with mode 0666 in /tmp.',
    page: 'threat model',
  }),
  'file-runtime': code('badInput', 'A file is not a Node.js that members could run.', {
    cluster: 'Nothing was changed. The members keep the Node.js they have.',
    why: 'The file is no Node.js binary, is too old, or is a wrapper script.',
    fix: [
      'Name the binary itself: `csync apply --with-runtime=/opt/node/bin/node`.',
      '`file /opt/node/bin/node` must print ELF.',
    ],
    example: '`--with-runtime=/usr/bin/nodejs`, which is a shell script.',
    page: 'nodejs',
  }),
  'file-runtime-ended': code('badInput', 'The support of the Node.js that would be copied to the members has ended.', {
    cluster: 'Nothing was changed. The members keep the Node.js they have.',
    why: 'The Node.js project supports each release line until a published day. After it, no security fixes appear.',
    fix: [
      'Copy Node.js 24: `csync apply --with-runtime=/opt/node-24/bin/node`.',
      'To copy the old version all the same: `csync apply --with-runtime --force`.',
    ],
    example: '`csync apply --with-runtime` on a host with Node.js 20, whose support ended on 2026-04-30.',
    page: 'nodejs',
  }),
  'render-hand-edited': code(
    'different',
    'A file was edited by hand, and csync does not overwrite it without --take-mine or --take-rendered.',
    {
      cluster: 'Nothing was overwritten. The package runs with the files as they are.',
      why: 'The file differs from what csync wrote: another administrator edited it on purpose, or by mistake.',
      fix: [
        'Show the edit: `csync diff`, for templates `csync templates diff DIR`.',
        'Keep it: add `--take-mine`. Discard it: add `--take-rendered` (templates: `--take-shipped`).',
      ],
      example: 'csync.sh on m2 got one more line in a past incident.',
      page: 'package directory',
    },
  ),
};
