/**
 * The drills, one row each: what is done, what must follow, how long it may take, where it may be done, how it is cleaned up. The runner
 * carries rows out, docs/reference/drills.md is printed from them, and the page quotes them. Data only.
 *
 * A drill for a real cluster uses nothing but the engine's own commands, and signals and files over ssh.
 */
import type { Drill } from './drills/drill-model.ts';
import { failureDrills } from './drills/failure-drills.ts';
import { labDrills } from './drills/lab-drills.ts';
import { orderDrills } from './drills/order-drills.ts';

export const drills: readonly Drill[] = [...failureDrills, ...orderDrills, ...labDrills];

/** The row of that name; undefined: there is none. */
export function drillNamed(name: string): Drill | undefined {
  return drills.find((drill) => drill.name === name);
}
