/** Texts of the place Plan. */
export const plan = {
  plan: {
    tabs: { jobs: "At work", scenarios: "Scenarios" },
    jobs: {
      lead: "Problems that planners solve and data that trainers learn from. Each plan names the problem, the version and the seed that it came from.",
      none: "Nothing was asked yet",
      noneHint: "A page that plans asks for you; a program asks by POST /api/v1/services/NAME/jobs.",
      col: { service: "Service", asked: "Asked", state: "State", plans: "Plans", value: "Best", bound: "Bound" },
      states: { waiting: "Waits", running: "At work", done: "Done", failed: "Failed", cancelled: "Ended early" },
      marks: { waiting: "○", running: "▶", done: "✓", failed: "✕", cancelled: "■" },
      end: "End it",
    },
  },
};
