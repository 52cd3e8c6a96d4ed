import { get, path } from "../api/client";
import type { ComponentLife, LifeModels, RemainingLifeList } from "../api/types";
import { type Asked, useQuery } from "./query";

const EVERY_MS = 20_000;

/** What is left of a machine's components. */
export const useLife = (twin: string): Asked<ComponentLife[]> =>
  useQuery(`life of ${twin}`, async (signal) => (await get<RemainingLifeList>(path`/twins/${twin}/remaining-life`, {}, signal)).items, EVERY_MS);

/** What is left of the components of all machines, the most urgent first. */
export const useFleetLife = (): Asked<ComponentLife[]> =>
  useQuery("life of the fleet", async (signal) => (await get<RemainingLifeList>("/remaining-life", {}, signal)).items, EVERY_MS);

/** Models in use, and who may teach them. */
export const useLifeModels = (): Asked<LifeModels> => useQuery("life models", (signal) => get<LifeModels>("/remaining-life/models", {}, signal), EVERY_MS);
