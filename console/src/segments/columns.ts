/** The columns of the list that the user wants to see; the browser keeps the choice. */

import { useState } from "react";

export const COLUMNS = [
  "type",
  "status",
  "contacts",
  "created_by",
  "created_at",
  "updated_by",
  "updated_at",
  "group",
  "version",
  "shared_with",
  "segment_id",
] as const;

export type Column = (typeof COLUMNS)[number];

/** Those of the product document. The name and the operations are always there. */
const FIRST: readonly Column[] = COLUMNS.slice(0, 7);
const STORED = "streamseg.columns";

/** Returns the columns of a stored choice; names that no column has are left out. */
export function readColumns(stored: string | null): readonly Column[] {
  try {
    const read: unknown = JSON.parse(stored ?? "null");
    return Array.isArray(read) ? COLUMNS.filter((column) => read.includes(column)) : FIRST;
  } catch {
    return FIRST;
  }
}

export function useColumns(): [readonly Column[], (chosen: readonly Column[]) => void] {
  const [columns, setColumns] = useState(() => readColumns(localStorage.getItem(STORED)));
  const choose = (chosen: readonly Column[]) => {
    const ordered = COLUMNS.filter((column) => chosen.includes(column));
    localStorage.setItem(STORED, JSON.stringify(ordered));
    setColumns(ordered);
  };
  return [columns, choose];
}
