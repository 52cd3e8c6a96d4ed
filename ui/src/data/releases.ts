import { useEffect } from "react";
import { get, path, post } from "../api/client";
import type { Gate, Release, Releases } from "../api/types";
import { type Asked, useQuery } from "./query";

const WORKING_MS = 1500;

export const isInGate = (release: Release): boolean => release.state === "waiting" || release.state === "running";

function useWhile(working: boolean, reload: () => void): void {
  useEffect(() => {
    if (!working) return undefined;
    const timer = window.setInterval(reload, WORKING_MS);
    return () => window.clearInterval(timer);
  }, [working, reload]);
}

export function useReleases(): Asked<Release[]> {
  const answer = useQuery("releases", async (signal) => (await get<Releases>("/releases", {}, signal)).items, 30_000);
  useWhile(answer.data?.some(isInGate) ?? false, answer.reload);
  return answer;
}

export function useRelease(id: string): Asked<Release> {
  const answer = useQuery(`release ${id}`, (signal) => get<Release>(path`/releases/${id}`, {}, signal), 30_000);
  const passing = answer.data?.gates.some((gate) => gate.statement && !gate.logged) ?? false;
  useWhile((answer.data ? isInGate(answer.data) : false) || passing, answer.reload);
  return answer;
}

export const askGate = (id: string): Promise<Gate> => post<Gate>(path`/releases/${id}/gate`, {});

export const withdrawRelease = (id: string, why: string): Promise<Release> => post<Release>(path`/releases/${id}/withdraw`, { why });
