import { childrenOf, type RunningProcess, type StartOptions, startProcess } from '../../host/processes.ts';
import { inNewNamespaces } from './boot.ts';

export interface BootedHost {
  readonly process: RunningProcess;
  readonly init: number;
}

/** Resolves when the host is up, or with the script's output if it failed. */
export async function bootHost(script: string, options: Pick<StartOptions, 'env' | 'stdin'>): Promise<BootedHost | string> {
  const said: string[] = [];
  let ready: () => void = () => {};
  const isReady = new Promise<'ready'>((resolve) => {
    ready = () => resolve('ready');
  });
  const process = startProcess([...inNewNamespaces, 'sh', '-c', script], {
    ...options,
    onLine: (line) => (line === 'READY' ? ready() : said.push(line)),
  });
  const first = await Promise.race([isReady, process.ended]);
  const [init] = childrenOf(process.pid ?? -1);
  if (first === 'ready' && init !== undefined) return { process, init };
  return said.join('; ') || (first === 'ready' ? 'it exited while booting' : JSON.stringify(first));
}
