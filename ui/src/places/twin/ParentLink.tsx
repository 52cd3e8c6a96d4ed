import { useTwin } from "../../data/twins";
import { Link } from "../../route/router";

/** Link to what a twin is part of, by its title. */
export function ParentLink({ id }: { id: string }) {
  const { data } = useTwin(id);
  return <Link place={`machines/${id}`}>{data?.title || id}</Link>;
}
