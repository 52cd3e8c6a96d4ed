import type { ReactNode } from "react";

/** A titled section of a page. */
export function Card({
  title,
  extra,
  children,
  className = "",
  label,
}: {
  title?: ReactNode;
  extra?: ReactNode;
  children: ReactNode;
  className?: string;
  label?: string;
}) {
  return (
    <section className={`card ${className}`} aria-label={label ?? (typeof title === "string" ? title : undefined)}>
      {title || extra ? (
        <header className="card-head">
          <h2>{title}</h2>
          {extra ? <div className="card-extra">{extra}</div> : null}
        </header>
      ) : null}
      {children}
    </section>
  );
}

export function Facts({ items }: { items: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
