/** What the API answers: names for the shapes of its OpenAPI document (`npm run client` generates schema.ts). */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Value = number | string | boolean | null;
export type Cut = Record<string, number>;
export type Row = Record<string, unknown>;
export interface Page<Item> {
  items: Item[];
  next?: string | null;
}

export type FaultShape = Pick<Schemas["FaultShape"], "code" | "message" | "hint" | "where"> & {
  line?: number | null;
  column?: number | null;
};
export type Account = Schemas["AccountShape"];
export type Session = Schemas["SessionAnswer"];
export type TwinSummary = Schemas["TwinSummary"];
export type TwinDetail = Schemas["TwinDetail"];
export type Kind = TwinSummary["kind"];
export type LevelName = TwinSummary["level"];
export type StateNow = Schemas["StateNow"];
export type SignalShape = Schemas["SignalShape"];
export type ParameterShape = Schemas["ParameterShape"];
export type CommandShape = Schemas["CommandShape"];
export type ComponentShape = Schemas["ComponentShape"];
export type AggregateShape = Schemas["AggregateShape"];
export type LevelEntry = Schemas["LevelEntry"];
export type LevelHistory = Schemas["LevelHistory"];
export type ValueNow = Schemas["ValueNow"];
export type AlarmShape = Schemas["AlarmShape"];
export type AlarmPage = Schemas["AlarmPage"];
export type TwinState = Schemas["TwinState"];
export type Series = Schemas["SeriesShape"];
export type Bucket = Schemas["BucketShape"];
export type FleetSeries = Schemas["FleetSeries"];
export type QueryAnswer = Schemas["QueryAnswer"];
export type StateInterval = Schemas["IntervalShape"];
export type StateHistory = Schemas["StatesAnswer"];
export type DailyStates = Schemas["DailyStates"];
export type Availability = Schemas["AvailabilityAnswer"];
export type Loss = Schemas["LossShape"];
export type Oee = Schemas["OeeAnswer"];
export type Command = Schemas["CommandAnswer"];
export type QuarantineEntry = Schemas["QuarantineEntry"];
export type QuarantineDetail = Schemas["QuarantineDetail"];
export type QuarantinePage = Schemas["QuarantinePage"];
export type ReplayAnswer = Schemas["ReplayAnswer"];
export type Health = Schemas["HealthAnswer"];
export type AnomalyList = Schemas["AnomalyList"];
export type AnomalyShape = Schemas["AnomalyShape"];
export type AnomalyModel = Schemas["AnomalyModelShape"];
export type AnomalyWatch = Schemas["AnomalyWatch"];
export type MachineChange = Schemas["ChangeShape"];
export type FoundSignal = Schemas["FoundSignalShape"];
export type Connection = Schemas["ConnectionShape"];
export type SimulatorAnswer = Schemas["SimulatorAnswer"];
export type SimulatorFault = Schemas["FaultSwitch"];
export type Provenance = Schemas["ProvenanceAnswer"];
export type TokenShape = Schemas["TokenShape"];
export type TokenCreated = Schemas["TokenCreated"];
export type AccountEntry = Schemas["AccountEntry"];
export type CredentialShape = Schemas["CredentialShape"];
export type CredentialCreated = Schemas["CredentialCreated"];
export type PartyShape = Schemas["PartyShape"];
export type AuditEntry = Schemas["AuditEntry"];
export type ContractSummary = Schemas["ContractSummary"];
export type ContractDetail = Schemas["ContractDetail"];
export type ContractStatus = Schemas["ContractStatus"];
export type MachineStatus = Schemas["MachineStatus"];
export type ContractPeriod = Schemas["PeriodShape"];
export type GuaranteeInterval = Schemas["GuaranteeIntervalShape"];
export type Exclusion = Schemas["ExclusionShape"];
export type Forecast = Schemas["ForecastShape"];
export type MachineForecast = Schemas["MachineForecastShape"];
export type GuaranteePrice = Schemas["PriceShape"];
export type Calibration = Schemas["CalibrationShape"];
export type Trial = Schemas["TrialShape"];
export type EvaluatedOffer = Schemas["OfferShape"];
export type InvoiceSummary = Schemas["InvoiceSummary"];
export type LedgerEntry = Schemas["EntryShape"];
export type Billed = Schemas["BilledShape"];
export type ServiceResult = Schemas["ResultShape"];
export type RenewalsAnswer = Schemas["RenewalsShape"];
export type RenewalCount = Schemas["RenewalCountShape"];
export type EndedContract = Schemas["EndedContractShape"];
export type Reason = Schemas["ReasonShape"];
export type PartnerShare = Schemas["ShareShape"];
export type WorkOrder = Schemas["WorkOrderShape"];
export type WorkOrders = Schemas["WorkOrders"];
export type AcceptanceOf = Schemas["AcceptanceShape"];
export type CriterionOf = Schemas["CriterionShape"];
export type DefinitionsAnswer = Schemas["DefinitionsAnswer"];
export type ServiceLevel = Schemas["ServiceLevelShape"];
export type ValueCounted = Schemas["ValueShape"];
export type Log = Schemas["LogShape"];
export type WatchedLog = Schemas["WatchedLogShape"];
export type Fork = Schemas["ForkShape"];
export type SignedHead = Schemas["SignedHeadShape"];
export type CaseSummary = Schemas["CaseSummary"];
export type CaseDetail = Schemas["CaseDetail"];
export type CaseFinding = Schemas["FindingShape"];
export type CaseExplanation = Schemas["ExplanationShape"];
export type CaseSample = Schemas["SampleShape"];
export type CaseProgress = Schemas["ProgressShape"];
export type CaseHypothesis = Schemas["HypothesisShape"];
export type CaseStep = Schemas["CaseStepShape"];
export type CaseProof = Schemas["ProofLink"];
export type Severity = CaseSummary["severity"];
export type CaseStatus = CaseSummary["status"];
export type JoinedAlarm = Schemas["JoinedAlarmShape"];
export type CaseAlarm = CaseSummary["alarm"];
export type Verdict = Schemas["PartShape"]["verdict"];
/** A step that people take; `kind` tells which. */
export type CaseAct =
  | Schemas["AcknowledgeIn"]
  | Schemas["ShelveIn"]
  | Schemas["UnshelveIn"]
  | Schemas["DiagnoseIn"]
  | Schemas["RepairIn"]
  | Schemas["CloseIn"]
  | Schemas["DismissIn"]
  | Schemas["NoteIn"];
export type Release = Schemas["ReleaseShape"];
export type Releases = Schemas["Releases"];
export type Gate = Schemas["GateShape"];
export type LineModelAnswer = Schemas["LineModelAnswer"];
export type MachineKey = Schemas["MachineKeyShape"];
export type MachineKeys = Schemas["MachineKeysShape"];
export type Job = Schemas["JobShape"];
export type JobDetail = Schemas["JobDetail"];
export type Jobs = Schemas["JobList"];
export type ControllerSummary = Schemas["ControllerSummary"];
export type ControllerDetail = Schemas["ControllerShape"];
export type ControllerRegion = Schemas["ControllerRegion"];
export type ControllerState = Schemas["ControllerStateShape"];
export type ControllerTransition = Schemas["ControllerTransition"];
export type ControllerCheck = Schemas["ControllerCheckShape"];
export type ControllerAnswer = Schemas["AnswerShape"];
export type ControllerRun = Schemas["RunShape"];
export type ControllerRunStep = Schemas["RunStep"];
export type ControllerReplay = Schemas["ControllerReplayShape"];
export type ControllerReplays = Schemas["ControllerReplays"];
export type ControllerComparison = Schemas["ComparisonShape"];
export type PartSummary = Schemas["PartSummary"];
export type Genealogy = Schemas["Genealogy"];
export type LinkShape = Schemas["LinkShape"];
export type MeasureShape = Schemas["MeasureShape"];
export type TraceEventShape = Schemas["TraceEventShape"];
export type RecallAnswer = Schemas["RecallAnswer"];
export type RecalledPart = Schemas["RecalledPart"];
export type CharacteristicShape = Schemas["CharacteristicShape"];
export type CharacteristicList = Schemas["CharacteristicList"];
export type SpcChart = Schemas["SpcChart"];
export type SpcPoint = Schemas["SpcPoint"];
export type SharePoint = Schemas["SharePoint"];
export type YieldAnswer = Schemas["YieldAnswer"];
