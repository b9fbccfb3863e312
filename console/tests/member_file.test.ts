/** A file of members is read by spreadsheets as it is shown, and nothing in it is run. */

import { expect, test } from "vitest";
import type { Member } from "../src/api/types";
import { csvOf, fieldsOf } from "../src/segment/member_file";

function member(contact_id: string): Member {
  return { contact_id, entered_at: null, sequence: 1 };
}

function idsOf(...ids: string[]): string {
  return csvOf(["contact_id"], ["id"], ids.map(member));
}

test("the fields are those of the table", () => {
  expect(fieldsOf({})).toEqual(["contact_id", "entered_at", "next_change_at"]);
  expect(fieldsOf({ left_since: "x" })).toEqual(["contact_id", "entered_at", "left_at"]);
  expect(fieldsOf({ at: "x" })).toEqual(["contact_id", "entered_at"]);
});

test("what is not known is empty", () => {
  const until = {
    ...member("b"),
    entered_at: "2026-01-01T00:00:00Z",
    next_change_at: "2026-02-01T00:00:00Z",
  };
  const text = csvOf(fieldsOf({}), ["联系人", "自", "至"], [member("a"), until]);
  expect(text).toBe("\ufeff联系人,自,至\r\na,,\r\nb,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z\r\n");
});

test("commas, quotes and line ends stay within their cell", () => {
  expect(idsOf("a,b", 'a"b', "a\nb")).toBe('\ufeffid\r\n"a,b"\r\n"a""b"\r\n"a\nb"\r\n');
});

test("a cell that looks like a formula is text", () => {
  for (const sign of ["=", "+", "-", "@", "\t", "＝", "＋", "－", "＠"]) {
    expect(idsOf(`${sign}1`), sign).toBe(`\ufeffid\r\n'${sign}1\r\n`);
  }
  expect(idsOf('=HYPERLINK("x","y")')).toBe(`\ufeffid\r\n"'=HYPERLINK(""x"",""y"")"\r\n`);
  expect(idsOf("a=b-c")).toBe("\ufeffid\r\na=b-c\r\n");
});
