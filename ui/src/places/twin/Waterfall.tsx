import type { Loss } from "../../api/types";
import { Figure } from "../../figures/Figure";
import { stateName } from "../../parts/states";
import { t } from "../../texts/en";
import { formatRatio } from "../../time/figure";
import { formatDuration } from "../../time/instant";

/** From all planned time down to good output: each loss is a step, its length its share. */
export function Waterfall({ losses, left, name, source }: { losses: readonly Loss[]; left: number | null; name: string; source: string }) {
  const lost = losses.reduce((sum, loss) => sum + (loss.share ?? 0), 0);
  const scale = Math.max(1, lost + (left ?? 0));
  const starts = losses.map((_, i) => scale - losses.slice(0, i + 1).reduce((sum, loss) => sum + Math.max(0, loss.share ?? 0), 0));
  const most = Math.max(...losses.map((loss) => loss.seconds));
  return (
    <table className="waterfall">
      <caption className="hidden">{t.oee.waterfall}</caption>
      <tbody>
        <tr>
          <th scope="row">{t.oee.planned}</th>
          <td className="bar-cell">
            <span className="bar whole" style={{ left: 0, width: "100%" }} />
          </td>
          <td className="right num weak" />
          <td className="right num">100.0 %</td>
        </tr>
        {losses.map((loss, i) => {
          const share = loss.share ?? 0;
          return (
            <tr key={`${loss.name} ${i}`} className={loss.seconds === most && most > 0 ? "most" : undefined}>
              <th scope="row">{lossName(loss)}</th>
              <td className="bar-cell">
                <span
                  className="bar"
                  style={{ left: `${((starts[i] ?? 0) / scale) * 100}%`, width: `${(Math.max(0, share) / scale) * 100}%`, background: loss.state ? `var(--s-${stateName(loss.state)})` : undefined }}
                />
              </td>
              <td className="right">
                <Figure text={formatDuration(loss.seconds * 1000)} source={{ url: source, title: lossName(loss) }} />
              </td>
              <td className="right num">{loss.share === null ? "–" : `−${formatRatio(share)} %`}</td>
            </tr>
          );
        })}
        <tr className="left">
          <th scope="row">{name}</th>
          <td className="bar-cell">
            <span className="bar result" style={{ left: 0, width: `${((left ?? 0) / scale) * 100}%` }} />
          </td>
          <td />
          <td className="right num strong">{formatRatio(left)} %</td>
        </tr>
      </tbody>
    </table>
  );
}

/** A loss by its own name, or by the state that it was spent in. */
export function lossName(loss: Loss): string {
  const own = t.oee.lossNames[loss.name as keyof typeof t.oee.lossNames];
  if (own) return own;
  const state = t.states[loss.name as keyof typeof t.states];
  return state ?? loss.name.replace(/[_-]/g, " ").replace(/^./, (c) => c.toUpperCase());
}
