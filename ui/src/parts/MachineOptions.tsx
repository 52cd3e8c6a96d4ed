import type { TwinSummary } from "../api/types";

/** Machines to choose from, by their titles; inside of a `<select>`. */
export function MachineOptions({ machines }: { machines: readonly Pick<TwinSummary, "id" | "title">[] }) {
  return machines.map((one) => (
    <option key={one.id} value={one.id}>
      {one.title || one.id}
    </option>
  ));
}
