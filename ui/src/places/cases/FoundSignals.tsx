import type { FoundSignal, TwinDetail } from "../../api/types";
import { t } from "../../texts/en";
import { decimalsFor, formatNumber, unitText } from "../../time/figure";

const c = t.case;

/** Which signals show what a service found: share, a reading against the usual one, and how far that is. */
export function FoundSignals({ signals, twin }: { signals: readonly FoundSignal[]; twin: TwinDetail | undefined }) {
  if (signals.length === 0) return null;
  return (
    <ul className="found-signals">
      {signals.map((one) => (
        <li key={one.signal}>
          <FoundOne one={one} twin={twin} />
        </li>
      ))}
    </ul>
  );
}

function FoundOne({ one, twin }: { one: FoundSignal; twin: TwinDetail | undefined }) {
  const signal = twin?.signals.find((s) => s.name === one.signal);
  const figure = (value: number): string => `${formatNumber(value, decimalsFor(value, signal?.range, signal?.accuracy, signal?.unit ?? ""))} ${unitText(signal?.unit ?? "")}`.trim();
  const share = one.share ?? null;
  return (
    <>
      <span className="found-name">{signal?.title || one.signal}</span>
      {share === null ? null : (
        <>
          <span className="found-bar" aria-hidden="true">
            <span style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} />
          </span>
          <span className="num found-share">{formatNumber(share * 100, 0)} %</span>
        </>
      )}
      <span className="weak">
        {one.value !== null && one.usual !== null ? c.insteadOf(figure(one.value), figure(one.usual)) : ""}
        {one.deviation !== null ? ` · ${c.deviations(formatNumber(Math.abs(one.deviation), 1))}` : ""}
      </span>
    </>
  );
}
