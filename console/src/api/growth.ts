/** How a segment grew: its size, who entered and who left, by hour or day. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ask, segmentPath, withQuery } from "./request";

export interface Bucket {
  start: string;
  end: string;
  /** The number of contacts at the end. */
  contacts: number;
  /** Kind of reason -> number of contacts. */
  entered: Record<string, number>;
  left: Record<string, number>;
  /** false: a part of it is not kept any more, or has not passed yet. */
  complete: boolean;
}

export interface Growth {
  by: "hour" | "day";
  timezone: string;
  contacts: number;
  buckets: Bucket[];
  /** `bucket` is the place of the bucket in which the version was saved. */
  versions: { version: number; saved_at: string; saved_by: string | null; bucket: number }[];
}

const AGAIN_MS = 30_000;

export function useGrowth(segmentId: string, by: Growth["by"], timezone: string) {
  return useQuery({
    queryKey: ["segments", "growth", segmentId, by, timezone],
    queryFn: ({ signal }) =>
      ask<Growth>(withQuery(`${segmentPath(segmentId)}/growth`, { by, timezone }), { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
  });
}
