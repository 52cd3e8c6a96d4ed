/** Texts of what contracts save their customers, by service and customer. */
export const savings = {
  savings: {
    title: "Saved against the baseline, a year",
    lead: "What each contract in force saves its customer, brought to a year, with sums per service and per customer. Only baselines that both parties signed count in the sums.",
    none: "No contract was in force in the last twelve months",
    services: { "availability-guarantee": "Availability guarantee", "metered-use": "Metered use", subscription: "Subscription" },
    cols: { service: "Service", customer: "Customer", contract: "Contract", hours: "Hours less down", saved: "Saved", after: "After the fee", baseline: "Baseline" },
    range: (low: string, high: string) => `${low} to ${high}`,
    agreed: "signed by both",
    notAgreed: "not signed by both: counts in no sum",
    allServices: "All services",
    allCustomers: "All customers",
    noSum: "No baseline is signed by both parties yet, so nothing adds up. Propose one on a contract's tab “Trial, price, value”.",
    opens: (contract: string) => `Value and baseline of ${contract}`,
  },
};
