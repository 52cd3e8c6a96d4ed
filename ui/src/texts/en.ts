import { anomalies } from "./en/anomalies";
import { cases } from "./en/cases";
import { contracts } from "./en/contracts";
import { controllers } from "./en/controllers";
import { common } from "./en/everyPage";
import { life } from "./en/life";
import { machine } from "./en/machine";
import { machineKeys } from "./en/machineKeys";
import { maintenance } from "./en/maintenance";
import { offers } from "./en/offers";
import { places } from "./en/places";
import { plan } from "./en/plan";
import { savings } from "./en/savings";
import { setups } from "./en/setups";
import { simulation } from "./en/simulation";
import { quality } from "./en/quality";
import { robots } from "./en/robots";
import { routine } from "./en/routine";

/** Every text that people read, in one place for translation. */
export const t = {
  ...common,
  ...machine,
  ...places,
  ...contracts,
  ...offers,
  ...cases,
  ...controllers,
  ...anomalies,
  ...life,
  ...plan,
  ...machineKeys,
  ...quality,
  ...robots,
  ...routine,
  ...savings,
  ...maintenance,
  ...simulation,
  ...setups,
};
