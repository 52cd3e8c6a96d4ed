import { useParam } from "../../route/router";
import { atTheMachine, useAccount } from "../../session/session";
import { t } from "../../texts/en";
import { ManagerHome } from "./ManagerHome";
import { OperatorHome } from "./OperatorHome";

/** What a person comes to see first, by task: operators their machine, everybody else the plant line by line. */
export default function Home() {
  const account = useAccount();
  const own = atTheMachine(account) ? "operator" : "production";
  const [view, setView] = useParam("view", own);
  return (
    <>
      <div className="home-switch">
        <h1>{view === "operator" ? t.home.operator : t.home.title}</h1>
        <div className="segmented" role="group" aria-label={t.home.view}>
          {(["production", "operator"] as const).map((choice) => (
            <button key={choice} type="button" aria-pressed={view === choice} onClick={() => setView(choice)}>
              {t.home.views[choice]}
            </button>
          ))}
        </div>
      </div>
      {view === "operator" ? <OperatorHome /> : <ManagerHome />}
    </>
  );
}
