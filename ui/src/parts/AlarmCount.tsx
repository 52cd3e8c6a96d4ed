/** Number of active alarms; none stays quiet. */
export function AlarmCount({ count }: { count: number }) {
  if (count === 0) return <span className="weak num">0</span>;
  return (
    <span className="alarm-count num">
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M8 1l7.5 13.5H.5zM7.2 6v4.2h1.6V6zm0 5.4V13h1.6v-1.6z" fillRule="evenodd" />
      </svg>
      {count}
    </span>
  );
}
