/** Whether a calculation makes progress and when it will end, as far as the answers of the API show it. */

import type { SegmentRow } from "./types";

/** After so long without progress the status says so. */
export const STALLED_MS = 60_000;
/** What happened in a longer time between two answers is not known: the time without progress begins anew. */
const GAP_MS = 15_000;

/** The speed of a shorter time says little about the rest. */
const LEAST_MS = 5_000;

interface Seen {
  version: number;
  progress: number;
  /** When this progress was answered first, and when last. */
  first: number;
  last: number;
  /** The first answer about this calculation, and when it came. */
  began: { progress: number; at: number };
}

/** Segment id -> what was seen of its calculation. */
export type SeenProgress = Map<string, Seen>;

export interface Pace {
  /** Whether there was no progress for a minute. */
  stalled: boolean;
  /** How long it will still take if it goes on as it did since the first answer, in ms; null: not known. */
  rest_ms: number | null;
}

/** Notes the progress that was answered at `at` (ms), and returns what follows from it. Only answers count: while the
 * API does not answer, nothing is known of the calculation. */
export function noteProgress(seen: SeenProgress, row: SegmentRow, at: number): Pace {
  const { segment_id, status, version, progress } = row;
  if (status !== "calculating") {
    seen.delete(segment_id);
    return { stalled: false, rest_ms: null };
  }
  let before = seen.get(segment_id);
  // A progress that is less than before is that of another calculation.
  if (before && (before.version !== version || at - before.last > GAP_MS || progress < before.progress))
    before = undefined;
  const first = before?.progress === progress ? before.first : at;
  const began = before?.began ?? { progress, at };
  seen.set(segment_id, { version, progress, first, last: at, began });
  return { stalled: at - first >= STALLED_MS, rest_ms: restAt(began, progress, at) };
}

function restAt(began: Seen["began"], progress: number, at: number): number | null {
  const [done, took] = [progress - began.progress, at - began.at];
  return done > 0 && took >= LEAST_MS ? (took * (1 - progress)) / done : null;
}
