import { type FormEvent, useEffect, useRef, useState } from "react";
import { ApiError } from "../../api/client";
import { useSession } from "../../session/session";
import { t } from "../../texts/en";

export function SignIn() {
  const { signIn } = useSession();
  const [account, setAccount] = useState("");
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ message: string; hint: string } | null>(null);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!account.trim() || !password) return setProblem({ message: t.signIn.missing, hint: "" });
    setBusy(true);
    setProblem(null);
    try {
      await signIn(account.trim(), password);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem({ message: error.fault.message, hint: error.fault.hint });
      setBusy(false);
    }
  };

  return (
    <main className="sign-in">
      <div className="sign-in-art" aria-hidden="true">
        <PlantLines />
      </div>
      <form className="sign-in-form" onSubmit={(event) => void submit(event)} aria-labelledby="sign-in-title">
        <p className="wordmark">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M4 21V8h11v13z" fill="none" stroke="currentColor" strokeWidth="2.4" />
            <path d="M17 25V12h11v13z" className="wordmark-twin" />
          </svg>
          {t.product}
        </p>
        <p className="lead">{t.signIn.lead}</p>
        <h1 id="sign-in-title">{t.signIn.title}</h1>
        <label className="field">
          <span>{t.signIn.account}</span>
          <input ref={first} autoComplete="username" autoCapitalize="none" spellCheck={false} value={account} onChange={(e) => setAccount(e.target.value)} />
        </label>
        <label className="field">
          <span>{t.signIn.password}</span>
          <input type={shown ? "text" : "password"} autoComplete="current-password" value={password} onChange={(e) => setPassword(e.target.value)} />
        </label>
        <label className="check">
          <input type="checkbox" checked={shown} onChange={(e) => setShown(e.target.checked)} />
          {t.signIn.show}
        </label>
        {problem ? (
          <p className="field-problem" role="alert">
            {problem.message} {problem.hint}
          </p>
        ) : null}
        <button type="submit" className="primary wide" disabled={busy}>
          {busy ? t.signIn.busy : t.signIn.submit}
        </button>
      </form>
    </main>
  );
}

/** A machine and its twin, drawn with the lines of a control-room picture. */
function PlantLines() {
  return (
    <svg viewBox="0 0 640 480" preserveAspectRatio="xMidYMid slice">
      <defs>
        <g id="machine">
          <path d="M0 150V40h44V0h60v40h66v110z" />
          <path d="M18 150V70h70v80M110 62h44v30h-44zM110 108h44M110 122h44" />
          <path d="M53 70v28M44 98h18l-9 16z" />
          <path d="M-14 150h198" />
        </g>
      </defs>
      <g className="art-grid">
        {Array.from({ length: 17 }, (_, i) => (
          <path key={`v${i}`} d={`M${i * 40} 0v480`} />
        ))}
        {Array.from({ length: 13 }, (_, i) => (
          <path key={`h${i}`} d={`M0 ${i * 40}h640`} />
        ))}
      </g>
      <use href="#machine" x="90" y="240" className="art-real" />
      <use href="#machine" x="370" y="130" className="art-twin" />
      <path className="art-flow" d="M270 330C330 330 300 230 362 220" />
      <path className="art-flow back" d="M366 262C330 280 330 362 270 366" />
    </svg>
  );
}
