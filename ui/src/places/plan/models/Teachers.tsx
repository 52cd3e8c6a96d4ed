interface Teacher {
  twin: string;
  permitted: boolean;
  why: string;
}

/** Machines that may not teach, each with the reason. */
export function Teachers({ teachers }: { teachers: readonly Teacher[] }) {
  return (
    <>
      {teachers
        .filter((one) => !one.permitted)
        .map((one) => (
          <div className="weak" key={one.twin}>
            {one.twin}: {one.why}
          </div>
        ))}
    </>
  );
}
