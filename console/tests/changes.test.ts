/** The stream of changes sends repeats after a reconnection. */

import { expect, test } from "vitest";
import { type Change, joined, passes } from "../src/api/changes";

function change(change_id: string): Change {
  return {
    change_id,
    segment_id: "s",
    contact_id: "c",
    change: "entered",
    effective_at: "2026-01-01T00:00:00Z",
  };
}

test("new changes are in front, each once, and only so many are kept", () => {
  const first = joined([change("a"), change("b")], []);
  expect(first.map((one) => one.change_id)).toEqual(["b", "a"]);
  expect(joined([change("b"), change("c"), change("c")], first).map((one) => one.change_id)).toEqual([
    "c",
    "b",
    "a",
  ]);
  const many = Array.from({ length: 500 }, (_, index) => change(String(index)));
  expect(joined(many, first)).toHaveLength(200);
  expect(joined(many, first)[0]?.change_id).toBe("499");
});

test("a filter lets pass what is of its segment, its contact and its kind of change", () => {
  const all = { segment: "", contact: "", change: "" };
  const one = change("a");
  expect(passes(one, all)).toBe(true);
  expect(passes(one, { segment: "s", contact: "c", change: "entered" })).toBe(true);
  for (const other of [{ segment: "t" }, { contact: "d" }, { change: "exited" }]) {
    expect(passes(one, { ...all, ...other })).toBe(false);
  }
});
