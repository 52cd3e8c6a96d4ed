import type { ReactNode } from "react";
import type { ApiError } from "../api/client";
import { t } from "../texts/en";

/** Shape of what is coming, in place of a spinner. */
export function Skeleton({ lines = 3, height }: { lines?: number; height?: number }) {
  return (
    <div className="skeleton" role="status" aria-label={t.loading}>
      {height ? (
        <div className="bone" style={{ height }} />
      ) : (
        Array.from({ length: lines }, (_, i) => <div key={i} className="bone" style={{ width: `${92 - ((i * 23) % 40)}%` }} />)
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children ? <div className="empty-text">{children}</div> : null}
    </div>
  );
}

/** What happened, what it means, what to do. */
export function Problem({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div className="problem" role="alert">
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M8 1l7.5 13.5H.5zM7.2 6v4.2h1.6V6zm0 5.4V13h1.6v-1.6z" fillRule="evenodd" />
      </svg>
      <div>
        <p className="problem-title">{error.fault.message}</p>
        {error.fault.hint ? <p>{error.fault.hint}</p> : null}
        <p className="weak code">{error.fault.code}</p>
      </div>
      {retry ? (
        <button type="button" className="plain" onClick={retry}>
          {t.tryAgain}
        </button>
      ) : null}
    </div>
  );
}

interface Shown<T> {
  data: T | undefined;
  error: ApiError | undefined;
  reload?: () => void;
  kept?: boolean;
}

/** Skeleton, then data; an error beside the last data rather than instead of it. */
export function Loaded<T>({
  answer,
  skeleton,
  children,
}: {
  answer: Shown<T>;
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}) {
  const { data, error } = answer;
  return (
    <>
      {error && !(error.status === 0 && data !== undefined) ? <Problem error={error} retry={answer.reload} /> : null}
      {data !== undefined ? <Kept is={answer.kept ?? false}>{children(data)}</Kept> : error ? null : (skeleton ?? <Skeleton />)}
    </>
  );
}

/** Figures of the question before look like that until the new ones come. */
function Kept({ is, children }: { is: boolean; children: ReactNode }) {
  return (
    <div className={is ? "kept" : "fresh"} aria-busy={is}>
      {children}
    </div>
  );
}
