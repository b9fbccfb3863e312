import { expect, test } from "vitest";
import { drawn } from "../src/builder/drawn_window";

const zone = { timezone: "UTC" };

test("a window before now is drawn left of now", () => {
  const { first, end, now } = drawn({
    ...zone,
    first: "2026-05-01T00:00:00.000Z",
    end: "2026-05-03T00:00:00.000Z",
    now: "2026-05-05T00:00:00.000Z",
  });
  expect(first).toBeLessThan(end);
  expect((end - first) / (now - first)).toBeCloseTo(0.5);
});

test("a bound that the window does not have is at the end of the line", () => {
  const now = "2026-05-05T00:00:00.000Z";
  expect(drawn({ ...zone, first: null, end: "2026-05-01T00:00:00.000Z", now }).first).toBe(0);
  expect(drawn({ ...zone, first: "2026-06-01T00:00:00.000Z", end: null, now })).toMatchObject({ end: 1 });
});
