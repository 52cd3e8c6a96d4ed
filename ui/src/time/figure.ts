/** Numbers as people read them: thousands separated by a thin space, the decimals of a column all the same. */

const THIN = "\u202f";

export function formatNumber(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = Math.abs(value).toFixed(decimals);
  const [whole = "0", fraction] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
  const sign = value < 0 && Number(text) !== 0 ? "−" : "";
  return sign + grouped + (fraction ? `.${fraction}` : "");
}

/** Decimals worth showing: by the sensor's accuracy if it is known, else by the width of its range, else by size. */
export function decimalsFor(value: number, range?: number[] | null, accuracy?: number | null, unit = ""): number {
  if (Number.isInteger(value) && /^(1|\{.*\})$/.test(unit)) return 0; // counted, not measured
  if (accuracy && accuracy > 0) return clamp(Math.ceil(-Math.log10(accuracy)));
  const width = range && range.length === 2 ? Math.abs((range[1] ?? 0) - (range[0] ?? 0)) : 0;
  const size = width || Math.abs(value);
  if (Number.isInteger(value) && !width) return 0;
  if (size >= 1000) return 0;
  if (size >= 10) return 1;
  return size >= 1 ? 2 : 3;
}

const clamp = (n: number): number => Math.min(6, Math.max(0, n));

export function formatRatio(value: number | null | undefined, decimals = 1): string {
  return value === null || value === undefined || !Number.isFinite(value) ? "–" : formatNumber(value * 100, decimals);
}

const UNITS: Record<string, string> = {
  Cel: "°C",
  "1": "",
  "%": "%",
  "{rpm}": "rpm",
  "/min": "1/min",
  "m/s2": "m/s²",
  "mm/s": "mm/s",
  deg: "°",
  Ohm: "Ω",
  um: "µm",
  "kW.h": "kWh",
  "[in_i]": "in",
  "{part}": "parts",
  "{parts}": "parts",
  "N.m": "N·m",
  m3: "m³",
};

/** A UCUM code as people write it; annotations in braces lose their braces. */
export function unitText(ucum: string): string {
  return UNITS[ucum] ?? ucum.replace(/^\{(.*)\}$/, "$1").replace(/_/g, " ");
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let v = bytes;
  let i = 0;
  while (v >= 1000 && i < units.length - 1) {
    v /= 1000;
    i += 1;
  }
  return `${formatNumber(v, i === 0 || v >= 100 ? 0 : 1)} ${units[i]}`;
}
