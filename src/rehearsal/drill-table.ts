/**
 * The drills, one row each: actions, expected result, limits, where allowed, cleanup. The runner carries rows out, docs/reference/drills.md
 * is generated from them, and the page quotes them. Data only.
 *
 * A drill for a real cluster uses only the engine's own commands, and signals and files over ssh.
 */
import type { Drill } from './drills/drill-model.ts';
import { failureDrills } from './drills/failure-drills.ts';
import { labDrills } from './drills/lab-drills.ts';
import { orderDrills } from './drills/order-drills.ts';

export const drills: readonly Drill[] = [...failureDrills, ...orderDrills, ...labDrills];

/** undefined: no drill of that name. */
export function drillNamed(name: string): Drill | undefined {
  return drills.find((drill) => drill.name === name);
}
