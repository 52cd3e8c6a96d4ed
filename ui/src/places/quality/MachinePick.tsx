import { useTwins } from "../../data/twins";
import { Pick } from "./Parts";

/** Choice of one machine by its title; `none` says what holds without one. A machine out of the address stays. */
export function MachinePick({ label, none, value, onChange }: { label: string; none: string; value: string; onChange: (id: string) => void }) {
  const machines = (useTwins().data ?? []).filter((twin) => twin.kind === "machine");
  const unknown = value !== "" && !machines.some((one) => one.id === value);
  const options = machines.map((one) => [one.id, one.title || one.id] as const);
  return <Pick label={label} value={value} options={[["", none], ...(unknown ? [[value, value] as const] : []), ...options]} onChange={onChange} />;
}
