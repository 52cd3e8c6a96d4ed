import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

export interface Column<Row> {
  key: string;
  title: string;
  /** What the cell shows. */
  cell: (row: Row) => ReactNode;
  /** What it is sorted and exported by; absent: cannot be sorted. */
  value?: (row: Row) => string | number | null;
  align?: "right";
  width?: string;
  /** Shown only when chosen. */
  optional?: boolean;
  /** May not be hidden. */
  fixed?: boolean;
}

export interface Sort {
  key: string;
  down: boolean;
}

export const parseSort = (text: string): Sort => ({ key: text.replace(/^-/, ""), down: text.startsWith("-") });

export const formatSort = (sort: Sort): string => (sort.down ? "-" : "") + sort.key;

/** Rows in the order of one column; rows without a value come last either way. */
export function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: Sort): Row[] {
  const value = columns.find((c) => c.key === sort.key)?.value;
  if (!value) return [...rows];
  const sign = sort.down ? -1 : 1;
  return rows
    .map((row, i) => ({ row, i, v: value(row) }))
    .sort((a, b) => {
      if (a.v === b.v) return a.i - b.i;
      if (a.v === null || a.v === "") return 1;
      if (b.v === null || b.v === "") return -1;
      if (typeof a.v === "number" && typeof b.v === "number") return sign * (a.v - b.v) || a.i - b.i;
      return sign * String(a.v).localeCompare(String(b.v), "en", { numeric: true }) || a.i - b.i;
    })
    .map((x) => x.row);
}

const ROW = 44;
const SPARE = 8;

interface GridProps<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  rowKey: (row: Row) => string;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  onOpen?: (row: Row) => void;
  rowClass?: (row: Row) => string;
  /** Height of the scrolled box; absent: as high as its rows. */
  tall?: boolean;
}

/** A table that draws only the rows in view, so that a thousand machines scroll like ten. */
export function Grid<Row>({ label, rows, columns, rowKey, sort, onSort, onOpen, rowClass, tall = false }: GridProps<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  useEffect(() => {
    const element = box.current;
    if (element && element.scrollTop > rows.length * ROW) element.scrollTop = 0;
  }, [rows.length]);

  const first = tall ? Math.max(0, Math.floor(view.top / ROW) - SPARE) : 0;
  const last = tall ? Math.min(rows.length, Math.ceil((view.top + view.height) / ROW) + SPARE) : rows.length;
  const shown = rows.slice(first, last);
  return (
    // A box that scrolls must be reachable by keyboard, even where no row has a link.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={tall ? "grid-box tall" : "grid-box"} ref={box} role="region" aria-label={label} tabIndex={0}>
      <table className="grid" aria-label={label} aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 ? (
            <tr aria-hidden="true" className="grid-space">
              <td colSpan={columns.length} style={{ height: first * ROW }} />
            </tr>
          ) : null}
          {shown.map((row, i) => (
            <tr
              key={rowKey(row)}
              aria-rowindex={first + i + 2}
              className={`${onOpen ? "opens " : ""}${rowClass?.(row) ?? ""}`}
              onClick={onOpen ? (event) => openUnlessControl(event.target, () => onOpen(row)) : undefined}
              onKeyDown={onOpen ? walk : undefined}
            >
              {columns.map((column) => (
                <td key={column.key} className={column.align === "right" ? "right" : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {last < rows.length ? (
            <tr aria-hidden="true" className="grid-space">
              <td colSpan={columns.length} style={{ height: (rows.length - last) * ROW }} />
            </tr>
          ) : null}
        </tbody>
      </table>
    </div>
  );
}

function Head<Row>({ column, sort, onSort }: { column: Column<Row>; sort?: Sort; onSort?: (sort: Sort) => void }) {
  const sorted = sort?.key === column.key;
  const direction = sorted ? (sort.down ? "descending" : "ascending") : undefined;
  const right = column.align === "right" ? "right" : undefined;
  if (!column.value || !onSort) {
    return (
      <th scope="col" className={right} style={{ width: column.width }}>
        {column.title}
      </th>
    );
  }
  return (
    <th scope="col" className={right} style={{ width: column.width }} aria-sort={direction}>
      <button type="button" onClick={() => onSort({ key: column.key, down: sorted ? !sort.down : false })}>
        {column.title}
        <span aria-hidden="true" className="sort-mark">
          {sorted ? (sort.down ? "▼" : "▲") : ""}
        </span>
      </button>
    </th>
  );
}

function openUnlessControl(target: EventTarget, open: () => void): void {
  if (target instanceof Element && target.closest("a,button,input,select,label")) return;
  if (window.getSelection()?.toString()) return;
  open();
}

/** Arrow keys walk from row to row between the links of a table. */
function walk(event: KeyboardEvent<HTMLTableRowElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const row = event.currentTarget;
  const next = event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
  const link = next?.querySelector<HTMLElement>("a,button");
  if (!link) return;
  event.preventDefault();
  link.focus();
}

/** RFC 4180 text of what the table shows. */
export function toCsv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const quote = (v: string | number | null): string => {
    const text = v === null ? "" : String(v);
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  const kept = columns.filter((c) => c.value);
  const lines = [kept.map((c) => quote(c.title)), ...rows.map((row) => kept.map((c) => quote(c.value?.(row) ?? null)))];
  return lines.map((line) => line.join(",")).join("\r\n") + "\r\n";
}

export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
