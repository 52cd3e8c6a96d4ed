import { useMemo } from "react";
import type { ControllerRegion, ControllerRunStep, ControllerTransition } from "../../api/types";
import { t } from "../../texts/en";
import { arcPath, HEAD, layoutRegion } from "./layout";

const c = t.controllers.chart;

/** The state chart of a controller, region by region; with a step of a run, where it is and where it goes. */
export function Chart({ regions, step }: { regions: readonly ControllerRegion[]; step: ControllerRunStep | null }) {
  return (
    <>
      <div className="chart-regions">
        {regions.map((region) => (
          <RegionChart key={region.name} region={region} now={step?.values[region.name] ?? ""} taken={step?.taken ?? []} />
        ))}
      </div>
      {step ? (
        <p className="chart-legend weak">
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="5" />
          </svg>
          {c.now}
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M1 8h9M9 4l5 4-5 4z" />
          </svg>
          {c.taken}
        </p>
      ) : null}
    </>
  );
}

function RegionChart({ region, now, taken }: { region: ControllerRegion; now: string; taken: readonly string[] }) {
  const drawn = useMemo(() => layoutRegion(region.states), [region]);
  const boxWidth = drawn.boxes[0]?.width ?? 0;
  const going = drawn.ways.filter((way) => taken.includes(way.transition.label));
  const label = [c.region(region.name, now), ...going.map((way) => `${c.taken}: ${way.transition.label}`)].join(". ");
  return (
    <figure className="chart-region">
      <figcaption>
        {region.name}
        {now ? <span className="weak"> {now}</span> : null}
      </figcaption>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="chart-scroll" tabIndex={0} role="group" aria-label={c.region(region.name, "")}>
        <svg role="img" aria-label={label} width={drawn.width} height={drawn.height} viewBox={`0 0 ${drawn.width} ${drawn.height}`}>
          {drawn.boxes.map(({ state, x, y, width, height }) => {
            const active = state.name === now;
            return (
              <g key={state.name} className={active ? "state active" : "state"} data-state={state.name}>
                <title>{[state.title || state.name, ...state.entry.map((a) => `entry: ${a}`), ...state.exit.map((a) => `exit: ${a}`)].join("\n")}</title>
                <rect x={x} y={y} width={width} height={height} rx="6" />
                <text x={x + (active || state.initial ? 24 : 10)} y={y + HEAD / 2 + 4} className="state-name">
                  {state.name}
                </text>
                {active ? <circle cx={x + 13} cy={y + HEAD / 2} r="5" className="now" /> : state.initial ? <circle cx={x + 13} cy={y + HEAD / 2} r="3.5" className="initial" /> : null}
                {state.final ? <circle cx={x + width - 14} cy={y + HEAD / 2} r="4" className="final" /> : null}
              </g>
            );
          })}
          {drawn.ways.map((way) => {
            const on = going.includes(way);
            return (
              <g key={way.transition.label + String(way.y)} className={on ? "way taken" : "way"} data-way={way.transition.label}>
                <title>{wayTitle(way.transition)}</title>
                <text x={way.x} y={way.y + 4}>
                  {on ? `▶ ${way.text}` : way.text}
                </text>
                {way.arc ? (
                  <>
                    <path d={arcPath(way.arc, boxWidth)} className="line" />
                    <path d={`M${way.arc.to[0] + 1} ${way.arc.to[1]}l7 -4v8z`} className="head" />
                  </>
                ) : null}
              </g>
            );
          })}
        </svg>
      </div>
    </figure>
  );
}

const wayTitle = (one: ControllerTransition): string => [one.label, one.event, one.guard, ...one.actions].filter(Boolean).join("\n");
