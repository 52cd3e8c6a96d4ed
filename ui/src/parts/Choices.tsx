import { Popover } from "../shell/Popover";
import { t } from "../texts/en";

export interface Choice {
  key: string;
  title: string;
}

/** Which of several things are shown: a list of check boxes. */
export function Choices({ legend, items, shown, onChange }: { legend: string; items: readonly Choice[]; shown: ReadonlySet<string>; onChange: (next: Set<string>) => void }) {
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {items.map((item) => (
        <label key={item.key}>
          <input
            type="checkbox"
            checked={shown.has(item.key)}
            onChange={(event) => {
              const next = new Set(shown);
              if (event.target.checked) next.add(item.key);
              else next.delete(item.key);
              onChange(next);
            }}
          />
          {item.title}
        </label>
      ))}
    </fieldset>
  );
}

/** A button that opens the choice of what is shown, and says how much is hidden. */
export function ChooseShown({ legend, items, hidden, onChange, note = "" }: { legend: string; items: readonly Choice[]; hidden: ReadonlySet<string>; onChange: (hidden: Set<string>) => void; note?: string }) {
  const shown = new Set(items.filter((item) => !hidden.has(item.key)).map((item) => item.key));
  const missing = items.length - shown.size;
  // What is hidden elsewhere (another line, another version of a type) stays hidden.
  const elsewhere = [...hidden].filter((key) => !items.some((item) => item.key === key));
  return (
    <div className="choose-shown">
      {missing ? <span className="weak num">{t.view.hidden(missing)}</span> : null}
      <Popover button={legend} className="right">
        {() => (
          <>
            <Choices legend={legend} items={items} shown={shown} onChange={(next) => onChange(new Set([...elsewhere, ...items.filter((item) => !next.has(item.key)).map((item) => item.key)]))} />
            <button type="button" className="plain" disabled={missing === 0} onClick={() => onChange(new Set(elsewhere))}>
              {t.view.showAll}
            </button>
            <p className="weak">{t.view.kept} {note}</p>
          </>
        )}
      </Popover>
    </div>
  );
}
