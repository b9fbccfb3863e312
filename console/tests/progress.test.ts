/** That a calculation makes no progress, and when it will end, is found from one answer to the next. */

import { expect, test } from "vitest";
import { noteProgress, type SeenProgress } from "../src/api/progress";
import type { SegmentRow } from "../src/api/types";

function calculating(progress: number, version = 1, segment_id = "s"): SegmentRow {
  return { segment_id, version, progress, status: "calculating" } as SegmentRow;
}

/** Notes an answer every ten seconds, and returns what was said of each. */
function said(answers: SegmentRow[], seen: SeenProgress = new Map(), every = 10_000): boolean[] {
  return answers.map((row, index) => noteProgress(seen, row, 1_000 + index * every).stalled);
}

test("after 60 seconds without progress it is said, until there is some", () => {
  const answers = [...Array(8).fill(calculating(0.5)), calculating(0.6)];
  expect(said(answers)).toEqual([false, false, false, false, false, false, true, true, false]);
});

test("slow progress is progress", () => {
  const slow = Array.from({ length: 20 }, (_, index) => calculating(0.1 + index / 10_000));
  expect(said(slow)).not.toContain(true);
});

test("another version, and an end in between, begin anew", () => {
  const before = Array(4).fill(calculating(0));
  expect(said([...before, ...Array(6).fill(calculating(0, 2))])).not.toContain(true);
  const done = { ...calculating(1), status: "completed" } as SegmentRow;
  expect(said([...before, done, ...before])).not.toContain(true);
});

test("a time without answers does not count", () => {
  expect(said([calculating(0.5), calculating(0.5)], new Map(), 120_000)).toEqual([false, false]);
});

test("each segment is watched by itself", () => {
  const seen: SeenProgress = new Map();
  for (let index = 0; index < 7; index++) {
    const at = index * 10_000;
    expect(noteProgress(seen, calculating(0.5), at).stalled).toBe(index === 6);
    expect(noteProgress(seen, calculating(index / 10, 1, "t"), at).stalled).toBe(false);
  }
});

test("the time that is left follows from the progress since the first answer", () => {
  const seen: SeenProgress = new Map();
  const left = [0.2, 0.25, 0.3, 0.5].map(
    (done, index) => noteProgress(seen, calculating(done), index * 4_000).rest_ms,
  );
  // The speed of four seconds is not yet taken for that of the rest. Then 0.1 in 8 s, and 0.3 in 12 s.
  expect(left.map((ms) => ms && Math.round(ms))).toEqual([null, null, 56_000, 20_000]);
  expect(noteProgress(seen, { ...calculating(1), status: "completed" }, 14_000).rest_ms).toBeNull();
});

test("a calculation that begins again is measured anew", () => {
  const seen: SeenProgress = new Map();
  noteProgress(seen, calculating(0.5), 0);
  expect(noteProgress(seen, calculating(0.9), 10_000).rest_ms).toBeCloseTo(2_500);
  expect(noteProgress(seen, calculating(0.1), 12_000).rest_ms).toBeNull();
  expect(noteProgress(seen, calculating(0.2), 22_000).rest_ms).toBeCloseTo(80_000);
});
