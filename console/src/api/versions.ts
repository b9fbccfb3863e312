/** The versions of a segment, and the segments that were deleted. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ask, Problem, segmentPath, withQuery } from "./request";
import { useChange } from "./segments";
import type { DeletedPage, DeletedSegment, Segment, Version, VersionInWords } from "./types";

/** The versions that are kept, the latest first. `current` asks again when a new one is there. */
export function useVersions(segmentId: string, current: number) {
  return useQuery({
    queryKey: ["segments", "versions", segmentId, current],
    queryFn: ({ signal }) => ask<{ versions: Version[] }>(`${segmentPath(segmentId)}/versions`, { signal }),
    placeholderData: keepPreviousData,
  });
}

/** A version in words, with the difference since another one. A version never changes. */
export function useVersion(segmentId: string, version: number, since: number | undefined) {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ["segments", "version", segmentId, version, since, i18n.language],
    queryFn: ({ signal }) =>
      ask<VersionInWords>(
        withQuery(`${segmentPath(segmentId)}/versions/${version}`, { words: i18n.language, since }),
        { signal },
      ),
  });
}

export interface Revert {
  segmentId: string;
  /** The version that becomes the latest one again. */
  version: number;
  /** The latest version that the user saw; if there is a later one, nothing is changed. */
  current: number;
}

export function useRevert() {
  return useChange(({ segmentId, version, current }: Revert) =>
    ask<Segment>(`${segmentPath(segmentId)}/versions/${version}/revert`, {
      method: "POST",
      headers: { "If-Match": `"${current}"` },
    }),
  );
}

export function useDeletedSegments(cursor: string | undefined) {
  return useQuery({
    queryKey: ["segments", "deleted", cursor],
    queryFn: ({ signal }) =>
      ask<DeletedPage>(withQuery("/deleted-segments", { cursor, limit: 50 }), { signal }),
    placeholderData: keepPreviousData,
  });
}

/** Takes a deletion back: makes the segments again that were deleted last under these ids. */
export function useUndoDelete() {
  return useChange(async (segmentIds: string[]) => {
    let waiting = segmentIds;
    while (waiting.length > 0) {
      const refused: string[] = [];
      let why: unknown;
      for (const segmentId of waiting) {
        try {
          await restored(segmentId, {});
        } catch (error) {
          // Segments that refer to others of them come after those.
          if (!(error instanceof Problem) || error.code !== "unknown_reference") throw error;
          refused.push(segmentId);
          why = error;
        }
      }
      if (refused.length === waiting.length) throw why;
      waiting = refused;
    }
  });
}

function restored(segmentId: string, body: { deletion?: number; new_segment_id?: string }): Promise<Segment> {
  return ask<Segment>(`/deleted-segments/${encodeURIComponent(segmentId)}/restore`, { method: "POST", body });
}

export interface Restore {
  deleted: DeletedSegment;
  /** Another id, if the id of the deleted segment is in use now. */
  newSegmentId?: string;
}

export function useRestore() {
  return useChange(({ deleted, newSegmentId }: Restore) =>
    restored(deleted.segment_id, {
      deletion: deleted.deletion,
      ...(newSegmentId === undefined ? {} : { new_segment_id: newSegmentId }),
    }),
  );
}
