/** What the list shows is part of its address, so that it survives a reload and the back button. */

import { useSearchParams } from "react-router";

export type ListField = "group" | "q" | "type" | "status" | "created_by" | "sort" | "order" | "limit";

export type ListState = { [field in ListField]?: string | undefined };

const FIELDS: ListField[] = ["group", "q", "type", "status", "created_by", "sort", "order", "limit"];

export function useListState(): [ListState, (changed: ListState) => void] {
  const [address, setAddress] = useSearchParams();
  const state: ListState = {};
  for (const field of FIELDS) {
    const value = address.get(field);
    if (value !== null) state[field] = value;
  }
  const change = (changed: ListState) => {
    const next = new URLSearchParams(address);
    for (const [field, value] of Object.entries(changed)) {
      if (value === undefined || value === "") next.delete(field);
      else next.set(field, value);
    }
    // A group is a place to come back to; a search is not.
    setAddress(next, { replace: changed.group === undefined });
  };
  return [state, change];
}
