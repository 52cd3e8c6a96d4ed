import type { ChangeEvent } from "react";

/** A file that somebody chooses. */
export function FileField({ title, hint = "", accept, onFile }: { title: string; hint?: string; accept: string; onFile: (file: File | undefined) => void }) {
  return (
    <label className="file-field">
      <span>{title}</span>
      {hint ? <span className="weak">{hint}</span> : null}
      <input
        type="file"
        accept={accept}
        // The same file can be chosen again after it was changed.
        onClick={(event) => {
          event.currentTarget.value = "";
        }}
        onChange={(event: ChangeEvent<HTMLInputElement>) => onFile(event.target.files?.[0])}
      />
    </label>
  );
}
