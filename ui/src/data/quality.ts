import { get, path } from "../api/client";
import type { CharacteristicList, Genealogy, Page, PartSummary, RecallAnswer, SpcChart, YieldAnswer } from "../api/types";
import { type Asked, useQuery } from "./query";

export interface PartQuery {
  q: string;
  kind: string;
  product: string;
  verdict: string;
  cursor: string;
}

export const useParts = (query: PartQuery): Asked<Page<PartSummary>> =>
  useQuery(`parts ${Object.values(query).join(" ")}`, (signal) => get<Page<PartSummary>>("/parts", { ...query, limit: 200 }, signal), 30_000, "parts");

export const useLife = (id: string): Asked<Genealogy> => useQuery(`life ${id}`, (signal) => get<Genealogy>(path`/parts/${id}/genealogy`, {}, signal), 30_000);

export interface RecallQuery {
  id: string;
  direction: string;
  machine: string;
  from: string;
  to: string;
}

const given = (query: RecallQuery): Record<string, string> => (query.id ? { id: query.id, direction: query.direction } : { machine: query.machine, from: query.from, to: query.to });

/** A recall; null: nothing is asked. */
export const useRecall = (query: RecallQuery): Asked<RecallAnswer> =>
  useQuery(query.id || query.machine ? `recall ${Object.values(query).join(" ")}` : null, (signal) => get<RecallAnswer>("/recalls", given(query), signal));

export const recallFile = (query: RecallQuery): string => `/api/v1/recalls?${new URLSearchParams({ ...given(query), form: "csv" }).toString()}`;

export const useCharacteristics = (): Asked<CharacteristicList> => useQuery("characteristics", (signal) => get<CharacteristicList>("/spc/characteristics", {}, signal), 60_000);

/** A control chart; null: nothing is chosen. */
export const useChart = (query: Record<string, string> | null): Asked<SpcChart> =>
  useQuery(query ? `spc ${Object.values(query).join(" ")}` : null, (signal) => get<SpcChart>("/spc/chart", query ?? {}, signal), 30_000, "spc");

export const useYield = (hours: number): Asked<YieldAnswer> =>
  useQuery(`yield ${hours}`, (signal) => get<YieldAnswer>("/spc/yield", { from: new Date(Date.now() - hours * 3_600_000).toISOString() }, signal), 60_000);
