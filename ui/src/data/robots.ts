import { useRef } from "react";
import { get, path, post, remove } from "../api/client";
import type { FleetMap, FleetSummary, RobotFleet, RobotTask } from "../api/types";
import { useLiveChanges } from "../live/live";
import { type Asked, useQuery } from "./query";

const REFRESH_MS = 1000;

/** Fleets of mobile robots. */
export const useFleets = (): Asked<FleetSummary[]> =>
  useQuery("robot fleets", async (signal) => (await get<{ items: FleetSummary[] }>("/fleets", {}, signal)).items, 60_000);

/** A fleet now; null: none is asked for. */
export const useRobotFleet = (id: string | null): Asked<RobotFleet> =>
  useQuery(id === null ? null : `robot fleet ${id}`, (signal) => get<RobotFleet>(path`/fleets/${id ?? ""}`, {}, signal), REFRESH_MS);

export const useFleetMap = (id: string | null): Asked<FleetMap> =>
  useQuery(id === null ? null : `robot map ${id}`, (signal) => get<FleetMap>(path`/fleets/${id ?? ""}/map`, {}, signal));

export interface Pose {
  x: number;
  y: number;
  theta: number;
}

/** Where robots are by the event stream, newer than the last answer; changed in place, read when the map is drawn. */
export function useLivePoses(robots: readonly string[]): { readonly current: ReadonlyMap<string, Partial<Pose>> } {
  const poses = useRef(new Map<string, Partial<Pose>>());
  useLiveChanges(robots.length ? robots : null, (changes) => {
    for (const change of changes) {
      const number = (name: string): number | undefined => {
        const value = change.values[name]?.[1];
        return typeof value === "number" ? value : undefined;
      };
      const next = { x: number("position.x"), y: number("position.y"), theta: number("position.theta") };
      const known = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
      if (Object.keys(known).length) poses.current.set(change.twin, { ...poses.current.get(change.twin), ...known });
    }
  });
  return poses;
}

export const closeZone = (fleet: string, zone: { id: string; places: string[]; kind: "blocked" | "person"; reason: string }): Promise<unknown> =>
  post(path`/fleets/${fleet}/zones`, zone);

export const openZone = (fleet: string, zone: string): Promise<void> => remove(path`/fleets/${fleet}/zones/${zone}`);

export const trustRobot = (fleet: string, robot: string): Promise<unknown> => post(path`/fleets/${fleet}/robots/${robot}/trust`, {});

export const askTransport = (fleet: string, task: { id: string; from: string; to: string; load: string; priority: number }): Promise<RobotTask> =>
  post<RobotTask>(path`/fleets/${fleet}/tasks`, task);

export const cancelTransport = (fleet: string, task: string): Promise<RobotTask> => post<RobotTask>(path`/fleets/${fleet}/tasks/${task}/cancel`, { reason: "" });
