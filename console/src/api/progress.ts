/** Whether a calculation makes progress, as far as the answers of the API show it. */

import type { SegmentRow } from "./types";

/** After so long without progress the status says so. */
export const STALLED_MS = 60_000;
/** What happened in a longer time between two answers is not known: the time without progress begins anew. */
const GAP_MS = 15_000;

interface Seen {
  version: number;
  progress: number;
  /** When this progress was answered first, and when last. */
  first: number;
  last: number;
}

/** Segment id -> what was seen of its calculation. */
export type SeenProgress = Map<string, Seen>;

/** Notes the progress that was answered at `at` (ms), and returns whether there was none for a minute. Only answers
 * count: while the API does not answer, nothing is known of the calculation. */
export function noteProgress(seen: SeenProgress, row: SegmentRow, at: number): boolean {
  const { segment_id, status, version, progress } = row;
  if (status !== "calculating") {
    seen.delete(segment_id);
    return false;
  }
  const before = seen.get(segment_id);
  const same = before?.version === version && before.progress === progress && at - before.last <= GAP_MS;
  const first = same ? before.first : at;
  seen.set(segment_id, { version, progress, first, last: at });
  return at - first >= STALLED_MS;
}
