/** Checks of hardened members: SELinux labels, FIPS mode, how their cfengine names keys. Pure. */
import { shellWord } from '../../base/shell-word.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { runtimeName } from '../../contract/package-directory.ts';
import type { Settings } from '../../settings/settings.ts';
import { daemonScript } from '../hosts/boot-start.ts';
import { daemonFunction, isEnterprise, keyNameLines } from '../remote/daemon-lines.ts';
import { directoryWord, mountedTest } from '../remote/shell-text.ts';
import { type CheckInput, type Findings, first, type Looked, type MemberFacts, problem } from './check-model.ts';

/** cfengine's policy for SELinux lets its daemon read it [cfengine.md 2.12]. */
const policyLabel = 'system_u:object_r:cfengine_var_lib_t:s0';
const confined = /^cfengine_/;

/** Reads the cluster's private key as the member scripts do; that needs MD5 and 3DES. */
const keyTrial = [
  'const c=require("crypto"),f=require("fs"),k=process.argv[1];',
  'try{c.createHash("md5");f.existsSync(k)&&c.createPrivateKey({key:f.readFileSync(k),passphrase:"Cfengine passphrase"});f.writeSync(1,"accepted")}',
  'catch(e){f.writeSync(1,"refused "+e.message.replace(/\\n.*/s,""))}',
].join('');

/** Lines of checkLook. */
export function hardenedLines(settings: Settings): string[] {
  const { mountPoint, policyDirectory, packageDirectory, nodePath, cfengineWorkDirectory } = settings;
  const adapter = adapterFor(settings);
  const files = [directoryWord(packageDirectory), shellWord(nodePath), daemonScript].join(' ');
  const runtime = `${directoryWord(packageDirectory)}/${runtimeName}`;
  return [
    'mode=$(getenforce 2>/dev/null) || case $(cat /sys/fs/selinux/enforce 2>/dev/null) in 1) mode=Enforcing ;; 0) mode=Permissive ;; *) mode=Disabled ;; esac',
    'echo "selinux $mode"',
    'if [ "$mode" != Disabled ]; then',
    daemonFunction(adapter, cfengineWorkDirectory),
    '  domain=$(daemon_pids | head -n 1 | { read -r pid && ps -o label= -p "$pid"; })',
    '  echo "domain $domain"',
    '  if command -v matchpathcon >/dev/null; then echo "contexts read"; fi',
    `  find -H ${files} -exec matchpathcon -V {} + 2>/dev/null | sed -n 's/^.* has context .*, should be [^<].*/context &/p' | head -n 30`,
    `  if ${mountedTest(mountPoint)}; then`,
    // One file for each label: a moved file keeps its old label.
    `    { stat -c '%C %n' ${shellWord(mountPoint)}; find -H ${shellWord(policyDirectory)} -xdev -name lost+found -prune -o -exec stat -c '%C %n' {} +; } 2>/dev/null | awk '!seen[$1]++' | head -n 20 |`,
    '    while read -r context path; do',
    '      access=unknown class=file; [ ! -d "$path" ] || class=dir',
    // The kernel answers this; it permits everything while permissive.
    '      if [ "$mode" = Enforcing ] && [ -n "$domain" ] && command -v selinux_check_access >/dev/null; then',
    '        if selinux_check_access "$domain" "$context" "$class" read >/dev/null 2>&1; then access=granted; else access=refused; fi',
    '      fi',
    '      echo "label $access $context $path"',
    '    done',
    '  fi',
    'fi',
    ...keyNameLines(adapter),
    'fips=$(cat /proc/sys/crypto/fips_enabled 2>/dev/null)',
    'if [ "$fips" = 1 ]; then',
    `  node=${runtime}; [ -x "$node" ] || node=${shellWord(nodePath)}`,
    `  echo "fips $(timeout 10 "$node" -e ${shellWord(keyTrial)} ${shellWord(adapter.privateKey)} 2>/dev/null)"`,
    'fi',
  ];
}

const contextType = (context: string): string => context.split(':')[2] ?? context;
const domainOf = (facts: MemberFacts): string => contextType(first(facts, 'domain') ?? '');
const modeOf = (facts: MemberFacts | null): string | undefined => (facts === null ? undefined : first(facts, 'selinux'));
const mostNames = 3;
const few = (names: readonly string[]): string =>
  names.length <= mostNames ? names.join(', ') : `${names.slice(0, mostNames).join(', ')} and ${names.length - mostNames} more`;

/** Reported for the stricter member: it may refuse what works elsewhere. */
export function judgeSelinux({ member, facts }: Looked, { members }: CheckInput): Findings {
  if (modeOf(facts) !== 'Enforcing') return [];
  const laxer = members.filter((one) => one.facts !== null && modeOf(one.facts) !== 'Enforcing');
  if (laxer.length === 0) return [];
  const others = laxer.map((one) => `${one.member} (${modeOf(one.facts) ?? 'unknown'})`).join(', ');
  const text = `SELinux is enforcing here, and not on ${others}: what the package does there without a refusal may be refused here`;
  const remedy =
    'ausearch -m avc -ts recent   (on that member, after the package ran there once); set the same mode on all members: setenforce, /etc/selinux/config';
  return [problem('warning', 'selinux', member, text, remedy)];
}

interface Label {
  readonly access: string;
  readonly type: string;
  readonly path: string;
}

function labelsOf(facts: MemberFacts | null): Label[] {
  return (facts?.get('label') ?? []).flatMap((line) => {
    const [, access = '', context = '', path = ''] = /^(\S+) (\S+) (.+)$/.exec(line) ?? [];
    return path === '' ? [] : [{ access, type: contextType(context), path }];
  });
}

export function judgeLabels(one: Looked, input: CheckInput): Findings {
  const { member, facts } = one;
  const mode = modeOf(facts);
  if (mode === undefined || mode === 'Disabled') return [];
  return [...fileLabels(member, facts), ...policyLabels(one, input, mode === 'Enforcing')];
}

/** Labels that differ from the host's policy, as matchpathcon -V prints them. */
function fileLabels(member: string, facts: MemberFacts): Findings {
  if (!facts.has('contexts')) return [{ leftOut: 'matchpathcon, which compares labels, is missing there' }];
  const odd = (facts.get('context') ?? []).flatMap((line) => {
    const [, path, has = '', should = ''] = /^(.+) has context (\S+), should be (\S+)$/.exec(line) ?? [];
    return path === undefined ? [] : [{ path, text: `${path} has ${contextType(has)}, should be ${contextType(should)}` }];
  });
  if (odd.length === 0) return [];
  const text = `SELinux labels differ from the policy of this host: ${few(odd.map((one) => one.text))}. A program that starts them may not be allowed to`;
  const more = odd.length > mostNames ? `   (and ${odd.length - mostNames} more)` : '';
  const paths = odd.slice(0, mostNames).map(({ path }) => shellWord(path));
  return [problem('warning', 'labels', member, text, `restorecon -v ${paths.join(' ')}${more}`)];
}

/** Labels are on the policy file system, so a standby member will have those of the active one. */
function policyLabels({ member, facts }: Looked, { settings, members }: CheckInput, isEnforcing: boolean): Findings {
  const type = domainOf(facts);
  const own = labelsOf(facts);
  const seen =
    own.length > 0
      ? own
      : members.flatMap((other) =>
          labelsOf(other.facts)
            // Granted there to the same type: the site has its own rules.
            .filter(({ access }) => access !== 'granted' || other.facts === null || domainOf(other.facts) !== type)
            .map((label) => ({ ...label, access: 'unknown' })),
        );
  const refused = own.filter(({ access }) => access === 'refused');
  const doubtful = seen.filter((label) => label.access === 'unknown' && confined.test(type) && !confined.test(label.type));
  const found = refused.length > 0 ? refused : doubtful;
  if (found.length === 0) return [];
  const { daemonName } = adapterFor(settings);
  const what = `${daemonName}, which runs as ${type}, to read ${few(found.map((label) => `${label.path} (${label.type})`))}`;
  const text =
    refused.length > 0
      ? `SELinux does not permit ${what}: clients get no policy`
      : `the usual SELinux policy does not permit ${what}${isEnforcing ? '' : '. It is permissive here, so nothing is refused now'}${own.length > 0 ? '' : '. The package is not here now: this counts after a failover'}`;
  const remedy = `set mount_options to "-o rw,context=${policyLabel}", then csync apply --halt   (docs/how-to/hardened/selinux.md)`;
  return [problem(refused.length > 0 ? 'error' : 'warning', 'labels', member, text, remedy)];
}

/** Keys are named by MD5, and the private one is encrypted with 3DES [cfengine.md 1.2, 2.2]. */
export function judgeFips({ member, facts }: Looked, { settings }: CheckInput): Findings {
  const node = first(facts, 'fips');
  if (node === undefined) return [];
  const problems: Findings[number][] =
    node === '' ? [{ leftOut: 'FIPS mode is on, and the Node.js of the member scripts does not run' }] : [];
  const { cfengineGeneration, nodePath } = settings;
  const [, why] = /^refused (.*)$/.exec(node) ?? [];
  if (why !== undefined) {
    const text = `FIPS mode is on, and the Node.js of the member scripts refuses the cluster's key (${why}): no script of the package works here`;
    const remedy = `csync apply --with-runtime=FILE, with bin/node of nodejs.org, whose OpenSSL does not follow FIPS mode; ${nodePath} uses that of the system`;
    problems.push(problem('error', 'fips', member, text, remedy));
  }
  if (cfengineGeneration === 2) {
    const text =
      'FIPS mode is on: cfengine 2 proves its keys with MD5 and encrypts with Blowfish, which an OpenSSL in FIPS mode refuses';
    problems.push(problem('warning', 'fips', member, text, noFips));
    return problems;
  }
  const name = first(facts, 'key-name');
  if (name === undefined)
    return [...problems, { leftOut: 'FIPS mode is on, and cfengine has no key there yet that it could name' }];
  if (/^(MD5|SHA)=/.test(name)) return problems;
  const text = 'FIPS mode is on, and cf-key cannot name its own key: its OpenSSL refuses MD5, so the daemon trusts no host';
  return [...problems, problem('error', 'fips', member, text, noFips)];
}

const noFips =
  "use cfengine's own packages, which bring an OpenSSL of their own, or turn FIPS mode off on the members (fips-mode-setup --disable)";

/** It does not find the keys that csync writes. */
export function judgeEnterprise({ member, facts }: Looked): Findings {
  if (!isEnterprise(facts)) return [];
  const text =
    'this is CFEngine Enterprise, which names keys root-SHA=...: it does not find the keys that csync writes (root-MD5=...)';
  return [
    problem(
      'error',
      'enterprise',
      member,
      text,
      'install CFEngine Community on members and clients: docs/how-to/hardened/selinux.md',
    ),
  ];
}
