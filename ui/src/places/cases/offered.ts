import type { CaseDetail } from "../../api/types";

export type Act = "acknowledge" | "diagnose" | "repair" | "shelve" | "dismiss" | "close" | "note";

/** Which steps are offered where the case stands. */
export function offered(one: Pick<CaseDetail, "status" | "alarm" | "severity" | "source">): Act[] {
  if (one.status === "verified" || one.status === "closed") return ["note"];
  const acts: Act[] = one.alarm === "unacknowledged" || one.alarm === "returned" ? ["acknowledge"] : [];
  acts.push("diagnose", "repair");
  if (one.severity !== "safety" && one.alarm !== "shelved") acts.push("shelve");
  // What is violated is proven; what a service found may turn out to be no fault.
  if (one.source) acts.push("dismiss");
  return [...acts, "close", "note"];
}
