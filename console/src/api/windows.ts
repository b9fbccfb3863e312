/** Where a window lies now. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { Window } from "../definition/types";
import { ask } from "./request";

export interface WindowBounds {
  now: string;
  /** The first instant in the window; null: it has no beginning. */
  first: string | null;
  /** The first instant after it; null: it has no end. */
  end: string | null;
  timezone: string;
}

const AGAIN_MS = 30_000;

export function useWindowBounds(window: Window, timezone: string | undefined) {
  return useQuery({
    queryKey: ["window", window, timezone],
    queryFn: ({ signal }) =>
      ask<WindowBounds>("/window", {
        method: "POST",
        body: { window, ...(timezone === undefined ? {} : { timezone }) },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
    // A window that is half typed is refused; the next one is another question.
    retry: false,
  });
}
