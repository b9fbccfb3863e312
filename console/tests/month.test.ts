import { expect, test } from "vitest";
import { monthAfter, weeksOf } from "../src/contact/month";

test("a month is laid out in weeks from Monday", () => {
  // 1 May 2026 was a Friday.
  const weeks = weeksOf("2026-05");
  expect(weeks[0]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    "2026-05-01",
    "2026-05-02",
    "2026-05-03",
  ]);
  expect(weeks.flat().filter((one) => one !== undefined)).toHaveLength(31);
  expect(weeks.every((week) => week.length === 7)).toBe(true);
  expect(weeksOf("2024-02").flat().filter(Boolean)).toHaveLength(29);
});

test("months follow each other over the end of a year", () => {
  expect(monthAfter("2026-12", 1)).toBe("2027-01");
  expect(monthAfter("2026-01", -1)).toBe("2025-12");
});
