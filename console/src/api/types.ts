/** The shapes of the API's answers; docs/api.md describes them. */

import type { Definition } from "../definition/types";
import type { Pace } from "./progress";

export type Operation =
  | "view_contacts"
  | "view_conditions"
  | "edit"
  | "copy"
  | "delete"
  | "move"
  | "share"
  | "calculate";

export type Status = "not_calculated" | "calculating" | "completed" | "shared";

export interface SegmentRow {
  segment_id: string;
  name: string;
  type: "standard" | "advanced" | "static";
  type_label: string;
  group: string;
  version: number;
  status: Status;
  status_label: string;
  progress: number;
  /** How the calculation goes on. The page notes this itself, from one answer to the next. */
  pace?: Pace;
  contacts: number;
  created_by: string | null;
  created_at: string | null;
  updated_by: string | null;
  updated_at: string | null;
  shared_with: string[];
  operations: Operation[];
}

export interface Segment extends SegmentRow {
  /** null for a built-in segment. */
  definition: Definition | null;
  words?: string | null;
  /** The segments that refer to this one. */
  used_in?: { segment_id: string; name: string }[];
  /** How many more do, of other accounts. */
  used_in_hidden?: number;
}

/** A version of a segment's definition. */
export interface Version {
  version: number;
  name: string;
  saved_by: string | null;
  saved_at: string | null;
}

/** A line of the conditions, compared with another version. */
export interface Difference {
  change: "same" | "removed" | "added";
  text: string;
}

export interface VersionInWords extends Version {
  words: string;
  /** Without another version to compare with there are none. */
  differences?: Difference[];
}

export interface DeletedSegment {
  segment_id: string;
  /** Tells apart segments that had the same id one after the other. */
  deletion: number;
  name: string;
  type: SegmentRow["type"];
  group: string;
  version: number;
  deleted_by: string | null;
  deleted_at: string;
  restorable_until: string;
}

export interface DeletedPage {
  segments: DeletedSegment[];
  next_cursor: string | null;
}

export interface SegmentPage {
  rows: SegmentRow[];
  total: number;
  next_cursor: string | null;
}

export interface Group {
  group: string;
  label: string;
  built_in: boolean;
  created_by: string | null;
  segments: number;
  operations: ("rename" | "delete")[];
}

export interface Member {
  contact_id: string;
  /** null if the entry itself is not kept any more. */
  entered_at: string | null;
  sequence: number;
  /** When the membership ends if nothing else happens. */
  next_change_at?: string;
  /** Only of those who left. */
  left_at?: string;
}

export interface MemberPage {
  contacts: Member[];
  next_cursor: string | null;
}
