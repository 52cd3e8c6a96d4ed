import { useRef } from "react";
import type { Genealogy, LinkShape, PartSummary } from "../../api/types";
import { useWidth } from "../../parts/useWidth";
import { go, href } from "../../route/router";
import { t } from "../../texts/en";
import { columnsOf, type Placed } from "./layout";

const q = t.quality;
const ROW = 40;
const BOX = 30;

/** What went into an object on the left, what it went into on the right; every box opens. */
export function GenealogyGraph({ life }: { life: Genealogy }) {
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(320, useWidth(box) || 640);
  const { nodes, columns, rows } = columnsOf(life);
  const known = new Map<string, PartSummary>([...life.objects, life.object].map((o) => [o.id, o]));
  const step = width / columns;
  const wide = Math.min(210, step - 36);
  const height = Math.max(rows * ROW + 26, 90);
  const at = (n: Placed): { x: number; y: number } => ({ x: n.column * step + (step - wide) / 2, y: 24 + ((n.row + 0.5) * (height - 24)) / n.of - BOX / 2 });
  const placed = new Map(nodes.map((n) => [n.id, n]));
  const links = [...life.up, ...life.down].filter((k) => placed.has(k.source) && placed.has(k.target));
  return (
    <div ref={box} className="genealogy">
      <svg width={width} height={height} role="group" aria-label={q.life.graph}>
        <text x={4} y={14} className="weak-text">
          {q.life.from} →
        </text>
        <text x={width - 4} y={14} textAnchor="end" className="weak-text">
          → {q.life.to}
        </text>
        {links.map((k) => (
          <Line key={`${k.source} ${k.target} ${k.event}`} link={k} at={(id) => at(placed.get(id) as Placed)} wide={wide} />
        ))}
        {nodes.map((n) => {
          const { x, y } = at(n);
          if (n.more) {
            return (
              <text key={n.id} x={x + wide / 2} y={y + 20} textAnchor="middle" className="weak-text">
                {q.life.more(n.more)}
              </text>
            );
          }
          const o = known.get(n.id);
          return o ? <Box key={n.id} o={o} x={x} y={y} wide={wide} self={n.id === life.object.id} /> : null;
        })}
      </svg>
    </div>
  );
}

function Line({ link, at, wide }: { link: LinkShape; at: (id: string) => { x: number; y: number }; wide: number }) {
  const a = at(link.source);
  const b = at(link.target);
  const x1 = a.x + wide;
  const y1 = a.y + BOX / 2;
  const y2 = b.y + BOX / 2;
  const bend = Math.max(18, (b.x - x1) / 2);
  return <path className="link" d={`M${x1} ${y1}C${x1 + bend} ${y1} ${b.x - bend} ${y2} ${b.x} ${y2}`} />;
}

function Box({ o, x, y, wide, self }: { o: PartSummary; x: number; y: number; wide: number; self: boolean }) {
  const fits = Math.max(4, Math.floor((wide - 34) / 7));
  const name = o.name.length > fits ? `…${o.name.slice(1 - fits)}` : o.name;
  const open = (): void => go(href("quality", { part: o.id }));
  return (
    <g
      className={`box${self ? " self" : ""}${o.verdict === "fail" ? " failed" : ""}`}
      role="link"
      tabIndex={0}
      aria-label={`${q.kinds[o.kind]} ${o.name}${o.verdict === "fail" ? `, ${q.verdicts.fail}` : ""}`}
      onClick={open}
      onKeyDown={(event) => {
        if (event.key === "Enter") open();
      }}
    >
      <title>{o.id}</title>
      <rect x={x} y={y} width={wide} height={BOX} rx={3} />
      <text x={x + 8} y={y + 20}>
        {o.verdict === "fail" ? "✕" : q.kindMarks[o.kind]} {name}
      </text>
    </g>
  );
}
