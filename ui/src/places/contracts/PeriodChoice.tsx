import type { ContractDetail } from "../../api/types";
import { useMoment } from "../../parts/Clock";
import { useParam } from "../../route/router";
import { t } from "../../texts/en";
import { parseInstant } from "../../time/instant";

/** The settlement period that a page shows; by default the one that runs. */
export function usePeriod(contract: ContractDetail): [string, (id: string) => void] {
  const now = useMoment(60_000);
  const running = contract.periods.find((p) => parseInstant(p.from) <= now && now < parseInstant(p.to));
  const begun = contract.periods.filter((p) => parseInstant(p.from) <= now);
  const fallback = running?.id ?? begun.at(-1)?.id ?? contract.periods[0]?.id ?? "";
  const [chosen, choose] = useParam("period", fallback);
  return [chosen, choose];
}

export function PeriodChoice({ contract, chosen, choose }: { contract: ContractDetail; chosen: string; choose: (id: string) => void }) {
  const now = useMoment(60_000);
  const begun = contract.periods.filter((p) => parseInstant(p.from) <= now);
  return (
    <label className="field period-choice">
      <span>{t.contractStatus.period}</span>
      <select value={chosen} onChange={(e) => choose(e.target.value)}>
        {begun.map((p) => (
          <option key={p.id} value={p.id}>
            {p.id}
            {now < parseInstant(p.to) ? ` (${t.contractStatus.runs})` : ""}
          </option>
        ))}
      </select>
    </label>
  );
}
