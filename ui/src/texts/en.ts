import { common } from "./en/common";
import { machine } from "./en/machine";
import { places } from "./en/places";

/** Every text that people read, in one place for translation. */
export const t = { ...common, ...machine, ...places };
