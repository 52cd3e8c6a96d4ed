/** Texts on what differs from what a machine was. */
export const anomalies = {
  anomalies: {
    title: "Anomalies",
    note: "A reason to look, not a proof: the machine deviates from what was learnt of it.",
    runs: "The machine is being watched.",
    none: "This machine is not watched for anomalies",
    noneHint: "Let the service “anomaly” run on it: servitwin anomalies watch.",
  },
};
