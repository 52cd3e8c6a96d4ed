import { IxContentHeader } from "@siemens/ix-react";
import type { ReactNode } from "react";
import type { ApiError } from "../api/client";
import { Empty, Loaded, Skeleton } from "./Feedback";
import { stackedBy } from "./stacked";

interface ListPageProps<Row> {
  title: string;
  lead: string;
  answer: { data: Row[] | undefined; error: ApiError | undefined; reload?: () => void; kept?: boolean };
  none: string;
  noneHint: string;
  columns: readonly { title: string; cell: (row: Row) => ReactNode; className?: string }[];
  rowKey: (row: Row) => string;
}

/** A place that is a short list: what it is for, and a table of everything, or what to do where there is nothing. */
export function ListPage<Row>({ title, lead, answer, none, noneHint, columns, rowKey }: ListPageProps<Row>) {
  return (
    <>
      <IxContentHeader headerTitle={title} />
      <p className="weak list-lead">{lead}</p>
      <Loaded answer={answer} skeleton={<Skeleton lines={6} />}>
        {(found) =>
          found.length === 0 ? (
            <Empty title={none}>{noneHint}</Empty>
          ) : (
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            <div className="grid-box" tabIndex={0} role="group" aria-label={title}>
              <table className="grid stacks" style={stackedBy(columns.map((column) => column.title))}>
                <thead>
                  <tr>
                    {columns.map((column) => (
                      <th key={column.title} scope="col">
                        {column.title}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {found.map((row) => (
                    <tr key={rowKey(row)}>
                      {columns.map((column) => (
                        <td key={column.title} className={column.className}>
                          {column.cell(row)}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </>
  );
}
