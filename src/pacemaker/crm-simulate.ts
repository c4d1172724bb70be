/** The output of `crm_simulate --simulate --output-as=xml`. Pure. */
import { all, attribute, below, readXml } from './xml.ts';

export interface Disturbance {
  readonly resource: string;
  /** stop, restart, move, recover, ... */
  readonly action: string;
  /** Where it is active. */
  readonly member: string;
}

const harmless = ['start', 'leave', 'none', 'reload'];

/** Resources that do not simply start or stay, in the order of a start; null: the text is no such output. */
export function readDisturbances(text: string): Disturbance[] | null {
  const [root] = all(readXml(text), 'pacemaker-result');
  const ended = root === undefined ? undefined : all(root, 'status').find((status) => attribute(status, 'code') === '0');
  if (root === undefined || ended === undefined || all(root, 'cluster_status').length === 0) return null;
  return below(root, 'actions', 'rsc_action')
    .map((one) => ({
      resource: attribute(one, 'resource'),
      action: attribute(one, 'action').toLowerCase(),
      member: attribute(one, 'source') || attribute(one, 'node'),
    }))
    .filter(({ action }) => !harmless.includes(action));
}
