/** Which segments refer to a segment, which refer to those, and so on. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ask, segmentPath } from "./request";
import type { Segment } from "./types";

const MOST_LEVELS = 3;
/** Of more segments the users are not asked for. */
const MOST_ASKED = 50;

export interface Use {
  segment_id: string;
  name: string;
  /** The segments that refer to this one. */
  users: Use[];
  /** How many more do, of other accounts. */
  hidden: number;
}

/** Returns a function that asks for the uses of segments, down to three levels. What cannot be read is an error. */
export function useAskUses(): (segmentIds: string[]) => Promise<(Use | Error)[]> {
  const questions = useQueryClient();
  return async (segmentIds) => {
    let left = MOST_ASKED;
    const askOne = (segmentId: string) =>
      questions.fetchQuery({
        queryKey: ["segments", "uses", segmentId],
        queryFn: ({ signal }) => ask<Segment>(segmentPath(segmentId), { signal }),
      });
    const found = async (segmentId: string, name: string, levels: number): Promise<Use> => {
      if (levels === 0 || left <= 0) return { segment_id: segmentId, name, users: [], hidden: 0 };
      left -= 1;
      const segment = await askOne(segmentId);
      const users: Use[] = [];
      for (const user of segment.used_in ?? []) {
        users.push(await found(user.segment_id, user.name, levels - 1));
      }
      return { segment_id: segmentId, name: segment.name, users, hidden: segment.used_in_hidden ?? 0 };
    };
    return Promise.all(
      segmentIds.map((segmentId) =>
        found(segmentId, segmentId, MOST_LEVELS).catch((error: unknown) =>
          error instanceof Error ? error : new Error(String(error)),
        ),
      ),
    );
  };
}

export function useUses(segmentId: string) {
  const askUses = useAskUses();
  return useQuery({
    queryKey: ["segments", "lineage", segmentId],
    queryFn: async () => {
      const [uses] = await askUses([segmentId]);
      if (uses === undefined || uses instanceof Error) throw uses;
      return uses;
    },
  });
}
