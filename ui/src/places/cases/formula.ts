import type { CaseExplanation, Verdict } from "../../api/types";

export interface Piece {
  text: string;
  verdict: Verdict | null;
}

type Part = CaseExplanation["parts"][number];

/** The text in pieces, each with the verdict of the innermost part that holds it. Places count characters, not code units. */
export function pieces(formula: string, parts: readonly Part[]): Piece[] {
  const characters = Array.from(formula);
  const verdicts = new Array<Verdict | null>(characters.length).fill(null);
  const wideFirst = [...parts].sort((a, b) => b.to - b.from - (a.to - a.from));
  for (const part of wideFirst) verdicts.fill(part.verdict, Math.max(0, part.from), Math.min(characters.length, part.to));
  const found: Piece[] = [];
  characters.forEach((character, i) => {
    const verdict = verdicts[i] ?? null;
    const last = found.at(-1);
    if (last && last.verdict === verdict) last.text += character;
    else found.push({ text: character, verdict });
  });
  return found;
}

/** The parts that hold no smaller one, in the order of the text. */
export function leaves(formula: string, parts: readonly Part[]): { text: string; verdict: Verdict }[] {
  const characters = Array.from(formula);
  const inside = (inner: Part, outer: Part): boolean => inner !== outer && inner.from >= outer.from && inner.to <= outer.to && inner.to - inner.from < outer.to - outer.from;
  return parts
    .filter((part) => part.to > part.from && !parts.some((other) => inside(other, part)))
    .sort((a, b) => a.from - b.from)
    .map((part) => ({ text: characters.slice(part.from, part.to).join("").trim(), verdict: part.verdict }));
}

/** Where characters [from, to) begin and end in a text as the browser counts it. */
export function codeUnits(text: string, from: number, to: number): [number, number] {
  const characters = Array.from(text);
  const start = characters.slice(0, from).join("").length;
  return [start, start + characters.slice(from, to).join("").length];
}

/** The text in pieces of which those inside a faulty stretch are marked; an empty stretch marks the character before it. */
export function underlined(text: string, faults: readonly { from: number; to: number }[]): { text: string; faulty: boolean }[] {
  const characters = Array.from(text);
  const faulty = new Array<boolean>(characters.length).fill(false);
  for (const { from, to } of faults) {
    const start = Math.max(0, to > from ? from : Math.min(from, characters.length) - 1);
    faulty.fill(true, start, Math.max(to, start + 1));
  }
  const found: { text: string; faulty: boolean }[] = [];
  characters.forEach((character, i) => {
    const last = found.at(-1);
    if (last && last.faulty === (faulty[i] ?? false)) last.text += character;
    else found.push({ text: character, faulty: faulty[i] ?? false });
  });
  return found;
}
