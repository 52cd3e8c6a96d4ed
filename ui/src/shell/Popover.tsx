import { type ReactNode, useEffect, useId, useRef, useState } from "react";

/** A button that opens a panel below it; Escape and a click elsewhere close it. */
export function Popover({
  button,
  label,
  children,
  className = "",
}: {
  button: ReactNode;
  /** Said before what the button shows, for those who do not see it. */
  label?: string;
  children: (close: () => void) => ReactNode;
  className?: string;
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return undefined;
    const onDown = (event: MouseEvent): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      setOpen(false);
      root.current?.querySelector("button")?.focus();
    };
    document.addEventListener("mousedown", onDown);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("mousedown", onDown);
      document.removeEventListener("keydown", onKey);
    };
  }, [open]);
  return (
    <div className={`popover ${className}`} ref={root}>
      <button type="button" className="plain" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        {label ? <span className="hidden">{label} </span> : null}
        {button}
      </button>
      {open ? (
        <div className="popover-panel" id={id}>
          {children(() => setOpen(false))}
        </div>
      ) : null}
    </div>
  );
}
