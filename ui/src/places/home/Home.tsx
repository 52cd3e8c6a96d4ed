import { useParam } from "../../route/router";
import { atTheMachine, sellsOrBuys, useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { ContractLedger } from "../contracts/Contracts";
import { ManagerHome } from "./ManagerHome";
import { OperatorHome } from "./OperatorHome";

/** What a person comes to see first, by task: operators their machine, everybody else the plant line by line. */
export default function Home() {
  const account = useAccount();
  const own = atTheMachine(account) ? "operator" : sellsOrBuys(account) ? "contracts" : "production";
  const views = atTheMachine(account) ? (["production", "operator"] as const) : (["contracts", "production", "operator"] as const);
  const [view, setView] = useParam("view", own);
  return (
    <>
      <div className="home-switch">
        <h1>{view === "operator" ? t.home.operator : view === "contracts" ? t.home.contracts : t.home.title}</h1>
        <div className="segmented" role="group" aria-label={t.home.view}>
          {views.map((choice) => (
            <button key={choice} type="button" aria-pressed={view === choice} onClick={() => setView(choice)}>
              {t.home.views[choice]}
            </button>
          ))}
        </div>
      </div>
      {view === "operator" ? <OperatorHome /> : view === "contracts" ? <ContractLedger /> : <ManagerHome />}
    </>
  );
}
