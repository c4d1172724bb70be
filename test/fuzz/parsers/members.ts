/** What member scripts read on their own member: /proc, fstab, the package directory, notes of other processes. */
import { isDeepStrictEqual } from 'node:util';
import { readProgramFile } from '../../../src/cluster/apply/program-file.ts';
import { readAddressView } from '../../../src/cluster/condition/outside.ts';
import { parseMasterFiles } from '../../../src/cluster/setup/look.ts';
import { maintenanceFrom, maintenanceText, parseMaintenance } from '../../../src/contract/maintenance-file.ts';
import { fstabMount, sentinelEpoch, sentinelMember } from '../../../src/contract/policy-file-system.ts';
import { isAnnounced } from '../../../src/contract/restart-notice.ts';
import { roomBy } from '../../../src/contract/space.ts';
import { framedLine, unframed } from '../../../src/host/admin/frame.ts';
import type { MemberHost } from '../../../src/host/host.ts';
import { parseConnections } from '../../../src/host/member/connections.ts';
import { answerTo } from '../../../src/host/member/http-endpoint.ts';
import { parseListeningInodes, parseMounts, parseProcessStat } from '../../../src/host/member/member-host.ts';
import { commandNames, parseCommand } from '../../../src/lab/commands/commands.ts';
import { policyVersion } from '../../../src/lab/machines/cfengine-setup.ts';
import { parseClusterFile, printClusterFile } from '../../../src/lab/manager/configuration/cluster-file.ts';
import { mayRestart } from '../../../src/member/monitor/local-restart.ts';
import { judgeManifest, manifestIn, readSettingsFile } from '../../../src/member/settings-file.ts';
import { copiesIn } from '../../../src/member/steps/mount-copies.ts';
import { plainPath, volumeGroupName, volumeGroupOfDevice } from '../../../src/serviceguard/storage-names.ts';
import { programSample } from '../program-sample.ts';
import { golden, settings } from '../samples.ts';
import { type FuzzedParser, hold } from '../trial.ts';

/** A host on which every file has the same text. */
const hostOf = (text: string): MemberHost => ({ readText: () => text, environment: {} }) as unknown as MemberHost;
const cluster = { name: 'lab', members: ['m1', 'm2'], memberTimeoutMicroseconds: 14_000_000 };

export const members: readonly FuzzedParser[] = [
  {
    name: '/proc/PID/stat',
    of: 'kernel',
    samples: ['4711 (cf-serverd) S 1 4711 4711 0 -1 4194560 1024 0 3 0 12 7 0 0 20 0 5 0 8123456 187392000 2613\n'],
    parse: parseProcessStat,
  },
  {
    name: '/proc/self/mounts',
    of: 'kernel',
    samples: ['/dev/vda1 / ext4 rw,relatime 0 0\n/dev/mapper/vg-lv /cs\\040ync ext4 ro 0 0\n'],
    parse: parseMounts,
  },
  {
    name: '/proc/PID/mountinfo',
    of: 'kernel',
    samples: [
      '36 35 98:0 / /host/cs\\040ync rw,noatime master:8 - ext4 /dev/x rw\n22 21 98:0 / /csync rw shared:7 - ext4 /dev/x rw\n',
    ],
    parse: (text) => copiesIn(text, text, '/csync'),
  },
  {
    name: '/proc/net/tcp',
    of: 'kernel',
    samples: [
      '  sl  local_address rem_address   st\n   0: 00000000:14BC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31337 1\n',
    ],
    parse: (text) => parseListeningInodes(text, 5308),
  },
  {
    name: 'stat -f',
    of: 'member',
    samples: ['9000 10000 4096 900 1000 /csync\n', '0 10000 4096 0 1000'],
    parse: roomBy,
  },
  {
    name: 'cards of a member, and the one behind the package address',
    of: 'member',
    samples: ['02:00:00:00:00:01 00:00:00:00:00:00 \n02:00:00:00:00:02', '\nnone'],
    parse: (text) => {
      const [cards, behind] = text.split('\n');
      return readAddressView(cards, behind);
    },
  },
  {
    name: 'connections of a port',
    of: 'kernel',
    samples: [
      '  sl  local_address rem_address   st\n   0: 00000000:14BC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31337 1\n',
    ],
    parse: (text) => parseConnections([text], 5308),
  },
  {
    name: 'fstab',
    of: 'administrator',
    samples: ['/dev/vg_csync/lv_csync /csync ext4 defaults 0 0\n'],
    parse: (text) => text.split('\n').map((line) => fstabMount(settings, line.trim().split(/\s+/))),
  },
  {
    name: 'policy of the master',
    of: 'member',
    samples: ['names Li9hAC4vYS9iAA==\nsizes 1 0\ncontents Yg==\nwhole\n', 'large 70000000 12\n'],
    parse: parseMasterFiles,
  },
  {
    name: 'framed answer',
    of: 'member',
    samples: ['Welcome\nMARK=begin=MARK\nMARK:one:MARK\nMARK::MARK\nMARK=0=MARK\n', 'MARK=begin=MARK\nMARK:half'],
    parse: (text) => {
      const ended = { exitCode: 0, signal: null, timedOut: false, errorCode: null, stdout: text, stderr: text };
      const read = unframed(ended, 'MARK');
      hold('no success without the whole frame', read.exitCode !== 0 || text.includes('MARK=0=MARK'));
      return [read, framedLine(text, 'MARK')];
    },
  },
  {
    name: 'names of storage',
    of: 'administrator',
    samples: ['/dev/mapper/vg--a-lv', '/dev/vg_csync/lv_csync', '/dev/disk/by-id/dm-name-vg-lv'],
    parse: (text) => [volumeGroupOfDevice(text), volumeGroupName(text), plainPath(text)],
  },
  {
    name: 'package directory on a member',
    of: 'member',
    samples: [golden('csync/set/settings.json'), golden('csync/set/manifest.json')],
    words: ['"files"', '"runtime"', '"digest"', 'null', '5'],
    parse: (text) => {
      const host = hostOf(text);
      return [
        readSettingsFile(host, '/x').ok,
        judgeManifest(host, '/x', 'a'),
        Object.keys(manifestIn(host, '/x').files),
        manifestIn(host, '/x').runtime?.digest ?? null,
      ];
    },
  },
  {
    name: 'maintenance file',
    of: 'administrator, csync',
    samples: [
      maintenanceText({ until: 1_790_000_000_000, serviceguard: { autoRun: true } }),
      maintenanceText({ until: null, serviceguard: null }),
    ],
    parse: (text) => {
      const read = parseMaintenance(text);
      // Without an end there is nothing that could carry Serviceguard's half.
      if (read.until !== null)
        hold('a printed pause reads as the same', isDeepStrictEqual(parseMaintenance(maintenanceText(read)), read));
      return [read, maintenanceFrom(text, 1_790_000_000_000)];
    },
  },
  {
    name: 'notes for the monitor',
    of: 'csync',
    samples: ['{"epoch":4,"member":"m1","at":"x"}\n', '42 8123456 900\n', '1234.5\n'],
    parse: (text) => [
      sentinelEpoch(text),
      sentinelMember(text),
      isAnnounced(text, { pid: 42, startTime: '8123456' }, 1),
      mayRestart(60, text, 100),
    ],
  },
  {
    name: 'request for the figures',
    of: 'anybody who reaches monitor_metrics_listen',
    samples: ['GET /metrics HTTP/1.1\r\nHost: m1\r\n\r\n', 'HEAD /state HTTP/1.0\n\n', 'POST / HTTP/1.1\r\n\r\n'],
    words: ['GET ', 'HEAD ', ' HTTP/1.1\r\n', '__proto__', 'constructor'],
    parse: (text) => {
      const answer = answerTo(text, { '/metrics': { type: 'text/plain', text: () => 'figures' } });
      hold('an answer has a status and an end', /^HTTP\/1\.1 (200|400|404|405) (?:.|\s)*\r\n\r\n/.test(answer));
      return answer;
    },
  },
  {
    name: 'program file',
    of: 'administrator',
    samples: [programSample()],
    parse: (text) => {
      const bytes = Buffer.from(text, 'latin1');
      return readProgramFile((offset, length) => {
        if (!Number.isSafeInteger(offset) || offset + length > bytes.length) throw new RangeError('behind the end');
        return bytes.subarray(offset, offset + length);
      });
    },
  },
  {
    name: 'cluster file of the lab',
    of: 'administrator of the lab',
    samples: [printClusterFile(cluster), `${printClusterFile(cluster)}QS_HOST qs\n`],
    words: ['MEMBER_TIMEOUT', 'NODE_NAME'],
    parse: (text) => {
      const read = parseClusterFile(text, 'cluster.ascii', cluster);
      if (read.ok)
        hold(
          'a printed cluster file reads as the same',
          isDeepStrictEqual(parseClusterFile(printClusterFile(read.value), 'again', cluster), read),
        );
      return read.problems.length;
    },
  },
  {
    name: "words of the lab's commands",
    of: 'administrator of the lab',
    samples: ['-v -f line -p csync', '-C new.ascii -n m1 -n m2', '-e -n m1 csync'],
    words: ['-n', '-p', '-C', '-P', '--', '-v', '-e', '-f'],
    parse: (text) => commandNames.map((name) => parseCommand(name, text.split(/[ \n]/).slice(0, 5000)).ok),
  },
  {
    name: 'policy of the lab',
    of: 'lab',
    samples: ['version 3\nline 0 of version 3\n'],
    parse: (text) => policyVersion(text),
  },
];
