/** The sign of an alarm: an octagon for a fault, a triangle for a warning; colour alone never tells. */
export function AlarmMark({ severity }: { severity: "warning" | "fault" }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      {severity === "fault" ? (
        <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5zM7.2 4v5h1.6V4zm0 6.2v1.6h1.6v-1.6z" fillRule="evenodd" />
      ) : (
        <path d="M8 1l7.5 13.5H.5zM7.2 6v4.2h1.6V6zm0 5.4V13h1.6v-1.6z" fillRule="evenodd" />
      )}
    </svg>
  );
}
