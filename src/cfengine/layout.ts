/** Paths of cfengine's policy and keys on the master and on every host, and the parser for rendered policy, by generation. */
import type { Settings } from '../settings/settings.ts';

export interface CfengineLayout {
  /** Master copy of the policy, on the policy file system; hosts copy it to their inputs. */
  readonly masterInputs: string;
  /** Files that the policy distributes, beside it. */
  readonly referenceFiles: string;
  /** The cluster's public keys for hosts to fetch: the current one and, during a rotation, the next. */
  readonly publicKeys: string;
  /** What the programs of a host read. */
  readonly inputs: string;
  /** A host's key pair, and the public keys it trusts. */
  readonly keys: string;
}

export function layoutOf({ cfengineGeneration, policyDirectory: served, cfengineWorkDirectory: work }: Settings): CfengineLayout {
  // Generation 2 has DSAU's names where they are known: that of master_files is not [dsau-csync.md 4.1].
  const inputs =
    cfengineGeneration === 2
      ? { masterInputs: `${served}/cfengine_master/inputs`, referenceFiles: `${served}/cfengine_master/master_files` }
      : { masterInputs: `${served}/masterfiles`, referenceFiles: `${served}/master_files` };
  return { ...inputs, publicKeys: `${served}/public_keys`, inputs: `${work}/inputs`, keys: `${work}/ppkeys` };
}

export interface PolicyCheck {
  /** Relative to the checked directory. */
  readonly file: string;
  readonly argv: readonly string[];
}

/**
 * The real parser for a directory of rendered files; exit 0 is good. cfengine 2 accepts missing files, so each is checked first
 * [cfengine.md 3.5]; it looks for imports in CFINPUTS, not beside the file [cfengine.md 1.1].
 */
export function policyChecks(settings: Settings, directory: string): readonly PolicyCheck[] {
  const { cfengineBinDirectory: bin } = settings;
  const script =
    'test -s "$1" || { echo "$1 is missing or empty" >&2; exit 1; }; CFINPUTS=$2; export CFINPUTS; shift 2; exec "$@"';
  const check = (file: string, ...parser: readonly string[]): PolicyCheck => {
    const path = `${directory}/${file}`;
    return { file, argv: ['/bin/sh', '-c', script, 'sh', path, directory, ...parser, path] };
  };
  if (settings.cfengineGeneration === 3)
    return ['promises.cf', 'update.cf', 'failsafe.cf'].map((file) => check(file, `${bin}/cf-promises`, '-cf'));
  return [
    check('update.conf', `${bin}/cfagent`, '-p', '-f'),
    check('cfagent.conf', `${bin}/cfagent`, '-p', '-f'),
    check('cfservd.conf', `${bin}/cfservd`, '-p', '-f'),
  ];
}
