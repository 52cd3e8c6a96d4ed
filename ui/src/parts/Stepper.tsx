import type { KeyboardEvent } from "react";

/** A number changed in steps: by two large buttons with a finger, by arrow, page and home keys on the number itself. */
export function Stepper({
  label,
  value,
  text,
  less,
  more,
  step,
  most,
  onChange,
}: {
  label: string;
  value: number;
  /** The number with its unit. */
  text: string;
  less: string;
  more: string;
  step: number;
  most: number;
  onChange: (value: number) => void;
}) {
  const to = (next: number): void => onChange(Math.min(most, Math.max(0, next)));
  const keys: Record<string, number> = { ArrowUp: value + step, ArrowRight: value + step, ArrowDown: value - step, ArrowLeft: value - step, PageUp: value + 3 * step, PageDown: value - 3 * step, Home: 0 };
  const press = (event: KeyboardEvent): void => {
    const next = keys[event.key];
    if (next === undefined) return;
    event.preventDefault();
    to(next);
  };
  return (
    <div className="stepper">
      <button type="button" tabIndex={-1} aria-label={less} disabled={value <= 0} onClick={() => to(value - step)}>
        −
      </button>
      <span role="spinbutton" tabIndex={0} aria-label={label} aria-valuenow={value} aria-valuemin={0} aria-valuemax={most} aria-valuetext={text} onKeyDown={press} className="num">
        {text}
      </span>
      <button type="button" tabIndex={-1} aria-label={more} disabled={value >= most} onClick={() => to(value + step)}>
        +
      </button>
    </div>
  );
}
