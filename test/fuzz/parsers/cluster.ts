/** What Serviceguard's commands and the scripts on members print; what lies in package directories. */

import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parseLogLine } from '../../../src/base/log-line.ts';
import { networkOf } from '../../../src/base/network.ts';
import { Failure } from '../../../src/base/problem.ts';
import { isNodeNewEnough } from '../../../src/base/version.ts';
import { alertLook } from '../../../src/cluster/alerts/sightings.ts';
import { compareDirectory } from '../../../src/cluster/apply/comparison.ts';
import { parseHistory, readSet } from '../../../src/cluster/apply/history.ts';
import { parseBefore } from '../../../src/cluster/apply/migration.ts';
import { readSwitch } from '../../../src/cluster/apply/package-write.ts';
import { parseRuntimeLook, readProof } from '../../../src/cluster/apply/runtime.ts';
import { judgeChecks, parseFacts } from '../../../src/cluster/condition/checks.ts';
import { parseReach } from '../../../src/cluster/condition/clients.ts';
import { parseCondition } from '../../../src/cluster/condition/member-condition.ts';
import { parseBoot } from '../../../src/cluster/hosts/boot-start.ts';
import { parseHost, publicDigest } from '../../../src/cluster/hosts/host-look.ts';
import { parseOutcomes } from '../../../src/cluster/hosts/host-setup.ts';
import { parseRecord } from '../../../src/cluster/policy/commit.ts';
import { readPolicyState } from '../../../src/cluster/policy/look.ts';
import { parseStage, parseTakenBack, readStageWish } from '../../../src/cluster/policy/stage.ts';
import { parseLeftovers } from '../../../src/cluster/procedures/recovery.ts';
import { saidIn } from '../../../src/cluster/remote/answers.ts';
import { parseLook, readNodeVersion } from '../../../src/cluster/remote/package-look.ts';
import { rosterIn } from '../../../src/cluster/remote/roster-look.ts';
import { alertStateText, noAlertState, parseAlertState, parseRehearsed } from '../../../src/contract/alerts.ts';
import { parseHandover, parsePromotion, promotionAfter } from '../../../src/contract/handover.ts';
import { emptyRoster, newestRoster, parseRoster, rosterText } from '../../../src/contract/roster.ts';
import { definition as groupFormat, readDefinition } from '../../../src/engine/pacemaker/definition.ts';
import { unprotected } from '../../../src/engine/pacemaker/hazards.ts';
import { readView as readPacemakerView } from '../../../src/engine/pacemaker/status.ts';
import { readCluster } from '../../../src/engine/serviceguard/host.ts';
import { memberStates, packageStatus, readView } from '../../../src/engine/serviceguard/status.ts';
import { whyNoAnswer } from '../../../src/host/admin/no-answer.ts';
import { readCrmMon } from '../../../src/pacemaker/crm-mon.ts';
import { readDisturbances } from '../../../src/pacemaker/crm-simulate.ts';
import { readGroup } from '../../../src/pacemaker/group.ts';
import { readXml } from '../../../src/pacemaker/xml.ts';
import { readFetched, readWatch } from '../../../src/rehearsal/watch-scripts.ts';
import { parseLineView } from '../../../src/serviceguard/view.ts';
import { readLook } from '../../../src/wizard/look.ts';
import { bootTemplates } from '../../support.ts';
import { base64, digest, golden, publicKey, recorded, settings } from '../samples.ts';
import { type FuzzedParser, hold } from '../trial.ts';

const view = [
  'name=prod',
  'status=up',
  'node:m1|name=m1',
  'node:m1|status=up',
  'node:m1|interface:eth0|ip_address:10.9.0.11|status=up',
  'node:m1|subnet:10.9.0.0|status=up',
  'package:csync|name=csync',
  'package:csync|status=up',
  'package:csync|state=running',
  'package:csync|owner=m1',
  'package:csync|autorun=enabled',
  'package:csync|node:m1|switching=enabled',
  'package:csync|vg:vg_csync|name=vg_csync',
  'quorum_server:qs|status=up',
  '',
].join('\n');

const key = { digest: `MD5=${'1'.repeat(32)}`, publicKey };
const roster = rosterText({
  ...emptyRoster,
  serial: 4,
  at: '2026-11-01T00:00:00Z',
  by: 'root@m1',
  key,
  members: [{ name: 'm1', addresses: ['10.9.0.11'] }],
  clients: [{ name: 'c1', addresses: ['10.9.0.21'], key, cluster: null, holds: [key.digest] }],
  waiting: [{ host: 'c1', what: 'client', why: 'no answer', since: '2026-11-01T00:00:00Z' }],
});
/** A text of a newer csync is refused. */
const isNewer = (error: unknown): boolean => error instanceof Failure && error.problems[0]?.code === 'file-newer';
const about = { number: 3, at: '2026-11-01T00:00:00Z', by: 'root@m1', toolkitVersion: '0.1.0', digest, note: '' };
const commitRecord =
  '{"commit":3,"epoch":7,"at":"2026-11-28T00:00:00.000Z","by":"root@m1","message":"motd","files":["site.cf"]}\n';

const monitor = JSON.stringify({
  version: 1,
  package: 'csync',
  member: 'm1',
  pid: 42,
  startedAt: 'a',
  at: 'b',
  watching: null,
  endIsEvent: true,
  paused: false,
  layers: { process: { result: 'good', detail: '', milliseconds: 1, at: 'b' } },
  verdict: null,
});
const ended = { exitCode: 255, signal: null, timedOut: false, errorCode: null, stdout: '' };

export const cluster: readonly FuzzedParser[] = [
  {
    name: 'cmviewcl -f line',
    of: 'Serviceguard',
    samples: [view, view.replaceAll('package:csync|', '')],
    parse: (text) => {
      parseLineView(text);
      return [readView(text), packageStatus(text, 'csync'), memberStates(text), readCluster(text, text)];
    },
  },
  {
    name: 'state of a cluster by crm_mon',
    of: 'Pacemaker',
    samples: recorded('pacemaker'),
    parse: (text) => [readPacemakerView(text), readCrmMon(text), unprotected(text), readDisturbances(text)],
  },
  {
    name: 'a group of resources',
    of: 'cibadmin, csync',
    samples: [golden('csync-pacemaker/csync.group.xml')],
    parse: (text) => {
      const { withMembers, withSet, companions } = groupFormat;
      withMembers(text, ['m1', 'm2']);
      withSet(text, '0123456789abcdef', digest);
      return [readXml(text), readGroup(text), readDefinition(text), companions(text)];
    },
  },
  {
    name: 'observation of a package directory',
    of: 'script on a member',
    samples: [
      `directory /usr/local/cmcluster/conf/csync\nnode v20.19.0\nruntime v20.19.0\nleftover .csync-arrival-1\nmode 644 csync.conf\ndigest ${digest}  csync.conf\nmanifest sets/0123456789abcdef/manifest.json ${base64(golden('csync/set/manifest.json'))}\napplied 0123456789abcdef /csync -\nrunning 0123456789abcdef\n`,
      `directory /x\nmanifest manifest.json ${base64('{"files":null,"edited":5}')}\nmode 644 csync.sh\ndigest ${digest} *csync.sh\n`,
    ],
    words: ['manifest manifest.json bnVsbA==', 'manifest manifest.json NQ==', 'manifest manifest.json eyJmaWxlcyI6bnVsbH0='],
    parse: (text) => {
      const facts = parseLook(text);
      readSwitch(text);
      const wanted = [{ name: 'csync.sh', mode: 0o644, content: Buffer.from('x') }];
      return [facts, facts && compareDirectory(wanted, facts), isNodeNewEnough(readNodeVersion(text))];
    },
  },
  {
    name: 'observation of the condition of a member',
    of: 'script on a member',
    samples: [
      `daemons 1\nmounted 1\naddress 1\nsentinel {"at":"x","epoch":3}\nmaintenance until 2026-11-01T00:00:00Z\nmonitor ${monitor}\npolicy ${digest}\nclock 1790000000.123\n`,
      `roster ${gzipSync(roster).toString('base64')}\nclock 1\n`,
    ],
    parse: (text) => [parseCondition({ text, asked: 100, answered: 101 }), rosterIn(text), saidIn(text)],
    throws: isNewer,
  },
  {
    name: 'notes of a promotion and of what came before',
    of: 'member',
    samples: [
      '{"epoch":4,"member":"m1","lostAt":1790000000000,"reason":"failure"}',
      '{"epoch":5,"at":1790000000640,"failover":{"from":"m1","milliseconds":640}}',
    ],
    parse: (text) => [parseHandover(text), parsePromotion(text), promotionAfter(5, 1_790_000_000_640, parseHandover(text))],
  },
  {
    name: 'what csync alert run sees on its member, and remembers',
    of: 'script on a member',
    samples: [
      `promotion {"epoch":5,"at":1790000000640,"failover":null}\nrehearsed {"version":1,"ready":false,"sentence":"not on m3"}\nmounted 1\nspace 1000 100000 4096 10 100000 /csync\nroster ${gzipSync(roster).toString('base64')}\nlog read\nfailure Nov 30 11:59:00 m2 csync start: failed [mount-failed] It cannot be mounted. | step=mount\nfailure Nov 30 11:59:00 m2 csync start: failed [script-failed] Start failed. | exit=2\n`,
      alertStateText(noAlertState),
    ],
    parse: (text) => [
      alertLook(settings, 'm2').read({ text, asked: 100, answered: 101 }),
      parseAlertState(text),
      parseRehearsed(text),
    ],
  },
  {
    name: 'state of the policy file system',
    of: 'script on a member',
    samples: [
      `digest ${digest}\nnames ${base64(`${digest}  ./site.cf\0`)}\nsizes 6\nheads ${base64('# mine')}\nsentinel ${base64('{"epoch":3,"member":"m1","at":"x"}')}\nrecord ${base64(commitRecord)}\nlog ${base64(commitRecord)}\ndigest ${digest}\nwhole\n`,
      commitRecord,
      `{"record":${commitRecord.trim()},"base":"${digest}","edit":"${digest}","hosts":[{"name":"c1","key":"MD5=${digest.slice(32)}"}]}`,
      `{"record":${commitRecord.trim()},"hosts":["c1"],"at":"x","why":"y"}`,
      'c1,10%,class:web',
    ],
    parse: (text) => [readPolicyState(text), parseRecord(text), parseStage(text), parseTakenBack(text), readStageWish(text)],
    throws: isNewer,
  },
  {
    name: 'watch of a rehearsal',
    of: 'script on a member',
    samples: [
      '1790000000.123 mount on 1790000000.100\n1790000001.5 address off 1790000001.4\n1790000002,5 client served\n1790000003.1 log Nov 28 03:00:00 m1 csync monitor: failed [verdict] The cfengine daemon exited. | reason=gone\n',
    ],
    parse: (text) => [
      readWatch(text, 'm1', 12),
      readFetched(`now 1790000001.5\nat 1790000001,4\n${text}`),
      readFetched(text),
      parseLogLine(text),
    ],
  },
  {
    name: 'roster.json',
    of: 'member',
    samples: [roster, rosterText(emptyRoster)],
    parse: (text) => {
      const read = parseRoster(text);
      if (read !== null) hold('a printed roster reads as the same', isDeepStrictEqual(parseRoster(rosterText(read)), read));
      return [read, newestRoster([read, null])];
    },
    throws: isNewer,
  },
  {
    name: 'history of sets',
    of: 'member',
    samples: [
      `${JSON.stringify(about)}\n${JSON.stringify({ ...about, number: 4 })}\n`,
      JSON.stringify({ files: [{ name: 'a', mode: 420, text: '' }] }),
    ],
    parse: (text) => {
      const sets = parseHistory(text);
      hold(
        'in order',
        sets.every((set, index) => index === 0 || (sets[index - 1]?.number ?? 0) < set.number),
      );
      return [sets, readSet(text.length % 8 === 0 ? gzipSync(text) : Buffer.from(text, 'latin1'), about)];
    },
  },
  {
    name: 'observation of a host',
    of: 'script on a host',
    samples: [
      `host m1.lab\nuid 0\naddresses 10.9.0.11 10.9.0.11 10.9.0.11/24 10.9.0.100/24 172.17.0.1/16 \nmissing /usr/bin/cf-key\ndaemons 1\nowed restart\nroster ${base64(roster)}\nleftover /var/.csync-arrival-1\ninput ${digest} promises.cf\nkeys 700\nprivate 600 ${digest}\nmode 600 localhost.pub\nmode 600 root-MD5=1.pub\nkey ==> localhost.pub <==\n${publicKey.replace(/^(?=.)/gm, 'key ')}key \nkey ==> root-MD5=1.pub <==\nnext csync-next.priv\nwhole\n`,
    ],
    parse: (text) => [parseHost(text, '10.9.0.0'), publicDigest(text)],
  },
  {
    name: 'observation of the boot start',
    of: 'script on a host',
    samples: [
      `manager systemd\nconfigured 1\nfile 755 ${digest} /usr/local/sbin/csync-cfservd\nenabled\nforeign cf-serverd.service\nlooked\n`,
    ],
    parse: (text) => parseBoot(text, settings, bootTemplates()),
  },
  {
    name: 'observation of leftovers',
    of: 'script on a member',
    samples: ['mounted\naddress\nactive\nuser 42 cf-serverd\nlooked\n'],
    parse: parseLeftovers,
  },
  {
    name: 'look before a runtime is sent',
    of: 'script on a member',
    samples: [
      'directory /opt/conf/csync\nfree 1234567\noptions rw,relatime\nprogram 02010100000000000000000002003e00\ninterpreter\n',
      'v20.19.0\nerror while loading shared libraries: libx.so.1: cannot open',
    ],
    parse: (text) => [parseRuntimeLook(text), readProof({ ...ended, exitCode: 0, stdout: text, stderr: text })],
  },
  {
    name: 'steps of a set-up',
    of: 'script on a host',
    samples: [`ended 0 \nended 1 ${base64('no space left')}\n`],
    parse: parseOutcomes,
  },
  {
    name: 'facts of csync check',
    of: 'script on a member',
    samples: [
      'fstab /dev/vg_csync/lv_csync /csync\nmount /dev/sda1 / ext4\nname 10.9.0.100\nback csync.lab\nvg vg_csync m1\ndaemon 3.21.0\nfree 100000 /tmp\npeers 1790000000\nlistener 5308\nmtu 1500 eth0 10.9.0.11/24\nclock 1790000000.5\n',
      'selinux Enforcing\ndomain a:b:cfengine_serverd_t:s0\ncontexts read\ncontext /conf/csync/x has context a:b:tmp_t:s0, should be a:b:usr_t:s0\nlabel unknown a:b:unlabeled_t:s0 /csync/dsau/x\nkey-name MD5=00\nfips refused\nclock 1790000000.5\n',
    ],
    parse: (text) => {
      const facts = parseFacts(text);
      const member = {
        member: 'm1',
        facts,
        noAnswer: { why: '', remedy: '' },
        clock: { ahead: 0, doubt: 0 },
        reach: parseReach(text),
      };
      return judgeChecks({
        settings,
        members: [member, { ...member, member: 'm2' }],
        toolkit: { version: '9.9.9', digest: 'a'.repeat(64) },
        others: [],
        clusterMembers: [],
        unreadOthers: [],
        owner: null,
        now: new Date(0),
        clients: [],
      });
    },
  },
  {
    name: 'the way to other hosts',
    of: 'script on a member',
    samples: ['reach m2 0 ok\nreach 10.9.0.21 124 lost\nreach c4 - -\n'],
    parse: parseReach,
  },
  {
    name: 'what a migration remembers',
    of: 'member',
    samples: ['{"owner":"m1","autoRun":true}\n', '{"owner":null,"autoRun":false}'],
    parse: parseBefore,
  },
  {
    name: 'what ssh says',
    of: 'ssh',
    samples: [
      'ssh: connect to host m2 port 22: Connection timed out\n',
      'Host key verification failed.\n',
      'root@m2: Permission denied (publickey).\n',
    ],
    parse: (text) => whyNoAnswer('m2', { ...ended, stderr: text }, 1000),
  },
  {
    name: 'look of the wizard',
    of: 'script on a member',
    samples: [
      '== addresses\n2: eth0    inet 10.9.0.11/24 brd 10.9.0.255 scope global eth0\n== end 0\n== volume groups\n  vg_csync|Zq3-1|m1\n== end 0\n== logical volumes\n  vg_csync|lv|1g\n== end 0\n== devices\n/dev/a\n== end 0\n== cfengine\n3 /usr/bin\n== end 0\n== running\n3\n== end 0\n== node\n/usr/bin/node v20.19.0\n== end 0\n== domains\nlab example.com\n== end 0\n',
    ],
    parse: (text) => {
      const look = readLook(text);
      return [look, look.addresses?.map(({ address, prefixLength }) => networkOf(address, prefixLength))];
    },
  },
];
