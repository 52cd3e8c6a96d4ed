import { get, path } from "../api/client";
import type { ContractDetail, ContractStatus, ContractSummary, Exclusion, Forecast, InvoiceSummary, Page, Savings } from "../api/types";
import { type Asked, useQuery } from "./query";
import { useAsOfText } from "./twins";

const STATUS_MS = 10_000;

export const useContracts = (): Asked<Page<ContractSummary>> =>
  useQuery("contracts", (signal) => get<Page<ContractSummary>>("/contracts", { limit: 500 }, signal), 30_000);

export const useContract = (id: string): Asked<ContractDetail> =>
  useQuery(`contract ${id}`, (signal) => get<ContractDetail>(path`/contracts/${id}`, {}, signal), 30_000);

export function useContractStatus(id: string, period = ""): Asked<ContractStatus> {
  const at = useAsOfText();
  return useQuery(
    `contract-status ${id} ${period} ${at ?? ""}`,
    (signal) => get<ContractStatus>(path`/contracts/${id}/status`, { period, at }, signal),
    at === null ? STATUS_MS : 0,
    `contract-status ${id} ${period}`,
  );
}

export const useForecast = (id: string, period: string): Asked<Forecast> =>
  useQuery(`forecast ${id} ${period}`, (signal) => get<Forecast>(path`/contracts/${id}/forecast`, { period }, signal), 60_000);

export const useExclusions = (id: string): Asked<Page<Exclusion>> =>
  useQuery(`exclusions ${id}`, (signal) => get<Page<Exclusion>>(path`/contracts/${id}/exclusions`, { limit: 1000 }, signal), 10_000);

export const useInvoices = (contract = ""): Asked<Page<InvoiceSummary>> =>
  useQuery(`invoices ${contract}`, (signal) => get<Page<InvoiceSummary>>("/invoices", { contract, limit: 500 }, signal), 30_000);

/** What contracts save their customers a year, by service and customer. */
export function useSavings(): Asked<Savings> {
  const to = useAsOfText();
  return useQuery(`savings ${to ?? ""}`, (signal) => get<Savings>("/savings", { to }, signal), to === null ? 300_000 : 0, "savings");
}
