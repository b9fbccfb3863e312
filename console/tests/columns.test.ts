import { expect, test } from "vitest";
import { COLUMNS, readColumns } from "../src/segments/columns";

test("without a choice the columns are those of the product document", () => {
  const first = ["type", "status", "contacts", "created_by", "created_at", "updated_by", "updated_at"];
  expect(readColumns(null)).toEqual(first);
  expect(readColumns("{")).toEqual(first);
  expect(readColumns('"type"')).toEqual(first);
});

test("a choice keeps the order of the list, and forgets columns that are no more", () => {
  expect(readColumns('["group", "type", "gone"]')).toEqual(["type", "group"]);
  expect(readColumns("[]")).toEqual([]);
  expect(readColumns(JSON.stringify(COLUMNS))).toEqual(COLUMNS);
});
