/** Paths of policy and keys, and the parser for rendered policy, by generation. */
import type { Settings } from '../settings/settings.ts';

export interface CfengineLayout {
  /** On the policy file system; hosts copy it to their inputs. */
  readonly masterInputs: string;
  readonly referenceFiles: string;
  /** For hosts to fetch: the current one, and the next during a rotation. */
  readonly publicKeys: string;
  readonly inputs: string;
  readonly keys: string;
}

export function layoutOf({ cfengineGeneration, policyDirectory: served, cfengineWorkDirectory: work }: Settings): CfengineLayout {
  // DSAU's names in generation 2, where known: not that of master_files [dsau-csync.md 4.1].
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

/** Exit 0: good. cfengine 2 accepts missing files: each is checked first [cfengine.md 3.5]; imports are in CFINPUTS [cfengine.md 1.1]. */
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
