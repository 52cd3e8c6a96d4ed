import type { ComponentType } from "react";
import type { TwinDetail } from "../../api/types";
import { Anomalies } from "./health/Anomalies";
import { RemainingLife } from "./health/RemainingLife";

/** Sections of the page, in the order in which they are shown; each asks for its own data. */
const SECTIONS: readonly ComponentType<{ twin: TwinDetail }>[] = [RemainingLife, Anomalies];

/** How the machine is: what differs from what it was, and how long its parts will last. */
export function Health({ twin }: { twin: TwinDetail }) {
  return (
    <div className="column">
      {SECTIONS.map((Section, place) => (
        <Section key={place} twin={twin} />
      ))}
    </div>
  );
}
