import { get, path, post } from "../api/client";
import type { ComponentLife, FailureModels, LifeModels, RemainingLifeList } from "../api/types";
import { type Asked, useQuery } from "./query";

const EVERY_MS = 20_000;
/** Days of a whole fleet stand behind them, and they change once a day. */
const MODELS_EVERY_MS = 300_000;

/** What is left of a machine's components. */
export const useLife = (twin: string): Asked<ComponentLife[]> =>
  useQuery(`life of ${twin}`, async (signal) => (await get<RemainingLifeList>(path`/twins/${twin}/remaining-life`, {}, signal)).items, EVERY_MS);

/** What is left of the components of all machines, the most urgent first. */
export const useFleetLife = (): Asked<ComponentLife[]> =>
  useQuery("life of the fleet", async (signal) => (await get<RemainingLifeList>("/remaining-life", {}, signal)).items, EVERY_MS);

/** Models in use, and who may teach them. */
export const useLifeModels = (): Asked<LifeModels> => useQuery("life models", (signal) => get<LifeModels>("/remaining-life/models", {}, signal), EVERY_MS);

/** Models of failures within days in use, and whose history may teach them; of one type of machine, or (empty) of all. */
export const useFailureModels = (machineType = ""): Asked<FailureModels> =>
  useQuery(`failure models of ${machineType}`, (signal) => get<FailureModels>("/failure-models", { machine_type: machineType }, signal), MODELS_EVERY_MS);

/** Let a model of remaining life be learnt anew; it is used only if it is better. */
export const trainLife = (machineType: string, component: string): Promise<unknown> => post("/remaining-life/training", { machine_type: machineType, component });

/** The same for failures within days. */
export const trainFailures = (machineType: string): Promise<unknown> => post("/failure-models/training", { machine_type: machineType });
