/** The members of a segment as a file for a spreadsheet: CSV (RFC 4180), in UTF-8. */

import type { Which } from "../api/segments";
import type { Member } from "../api/types";

export type Field = "contact_id" | "entered_at" | "next_change_at" | "left_at";

/** Spreadsheets take the encoding from this mark; without it they show Chinese wrongly. */
const BYTE_ORDER_MARK = "\ufeff";
/** A spreadsheet runs a cell that begins so as a formula, whoever wrote it; some do so with the wide signs too. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** Returns the fields of the members that are listed. */
export function fieldsOf(which: Which): Field[] {
  if (which.at !== undefined) return ["contact_id", "entered_at"];
  return ["contact_id", "entered_at", which.left_since === undefined ? "next_change_at" : "left_at"];
}

/** Returns the file's text: a line of titles, then one line for each member. Instants are in UTC, as the API gives
 * them; what is not known is empty. */
export function csvOf(fields: Field[], titles: string[], members: Member[]): string {
  const lines = [titles, ...members.map((one) => fields.map((field) => one[field] ?? ""))];
  return BYTE_ORDER_MARK + lines.map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

function cell(text: string): string {
  // After an apostrophe a spreadsheet shows the rest as text.
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
