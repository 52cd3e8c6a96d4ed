import { useRef } from "react";
import { Problem } from "../../parts/Feedback";
import { t } from "../../texts/en";
import { formatDuration } from "../../time/instant";
import { codeUnits, underlined } from "../cases/formula";
import type { Checked } from "./useFormulaCheck";

const r = t.requirements;

/** A formula as typed; faulty characters are underlined where they stand, and told below. */
export function FormulaField({ value, onChange, check }: { value: string; onChange: (text: string) => void; check: Checked }) {
  const input = useRef<HTMLTextAreaElement>(null);
  const under = useRef<HTMLPreElement>(null);
  const select = (from: number, to: number): void => {
    const [start, end] = codeUnits(value, from, Math.max(to, from + 1));
    input.current?.focus();
    input.current?.setSelectionRange(start, end);
  };
  return (
    <div className="formula-field">
      <div className="field">
        <span>
          <label htmlFor="formula-text">{r.formula}</label>
        </span>
        <div className="formula-box">
          <pre ref={under} className="code" aria-hidden="true">
            {underlined(value, check.faults).map((piece, i) => (
              <span key={i} className={piece.faulty ? "faulty" : undefined}>
                {piece.text}
              </span>
            ))}
            {"\n"}
          </pre>
          <textarea
            ref={input}
            id="formula-text"
            className="code"
            rows={4}
            required
            maxLength={8000}
            spellCheck={false}
            autoCapitalize="off"
            value={value}
            aria-invalid={check.faults.length > 0}
            aria-describedby="formula-told"
            placeholder="always(brake.temperature > 80 -> eventually[0s, 10min](brake.temperature < 60))"
            onChange={(event) => onChange(event.target.value)}
            onScroll={(event) => {
              if (under.current) under.current.scrollTop = event.currentTarget.scrollTop;
            }}
          />
        </div>
      </div>
      <div id="formula-told" role="status" className="formula-told">
        {check.checking ? <p className="weak">{r.checking}</p> : null}
        {check.faults.map((fault, i) => (
          <p key={i} className="field-problem">
            {fault.message} {fault.hint ? <span className="fault-hint">{fault.hint}</span> : null} <span className="weak code">{fault.code}</span>{" "}
            <button type="button" className="plain" onClick={() => select(fault.from, fault.to)}>
              {r.goTo}
            </button>
          </p>
        ))}
        {check.fine && check.answer ? (
          <>
            <p>
              ✓ {check.answer.words ? `${r.says}: ${check.answer.words}` : r.fine}
            </p>
            <p className="weak">
              {check.answer.signals.length ? `${r.reads} ${check.answer.signals.join(", ")}. ` : ""}
              {check.answer.horizon_s ? r.horizon(formatDuration(check.answer.horizon_s * 1000)) : ""}
            </p>
          </>
        ) : null}
      </div>
      {check.problem ? <Problem error={check.problem} /> : null}
    </div>
  );
}
