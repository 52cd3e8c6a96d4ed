import { get, path, post, remove } from "../api/client";
import type { Delivery, DeliveryList, DeliveryWord, NotMatched, Page } from "../api/types";
import { type Asked, useQuery } from "./query";

/** Our own deliveries, and those of others from us or to us. */
export const useDeliveries = (): Asked<DeliveryList> => useQuery("deliveries", (signal) => get<DeliveryList>("/deliveries", {}, signal), 60_000);

/** What was said and is about no delivery that a register has. */
export const useNotMatched = (cursor: string): Asked<Page<NotMatched>> =>
  useQuery(`deliveries not matched ${cursor}`, (signal) => get<Page<NotMatched>>("/deliveries/not-matched", { cursor: cursor || undefined }, signal), 60_000);

export const sayOfDelivery = (word: DeliveryWord): Promise<Delivery> => post<Delivery>("/deliveries/words", word);
export const withdrawWord = (id: string): Promise<void> => remove(path`/deliveries/words/${id}`);
