import type { Drill } from './drills/drill-model.ts';
import { failureDrills } from './drills/failure-drills.ts';
import { labDrills } from './drills/lab-drills.ts';
import { orderDrills } from './drills/order-drills.ts';

export const drills: readonly Drill[] = [...failureDrills, ...orderDrills, ...labDrills];

/** undefined: none. */
export function drillNamed(name: string): Drill | undefined {
  return drills.find((drill) => drill.name === name);
}
