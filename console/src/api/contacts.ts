/** Questions about contacts. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Condition, Match } from "../definition/types";
import { ask, contactPath, segmentPath, withQuery } from "./request";

export interface Membership {
  segment_id: string;
  entered_at: string;
  sequence: number;
  /** Left out if time alone does not end the membership. */
  next_change_at?: string;
}

export interface Contact {
  contact_id: string;
  known_since: string;
  tags: string[];
  attributes: Record<string, unknown>;
  /** When each attribute was set last; also `tags`. */
  updated_at: Record<string, string>;
  lists: string[];
  segments: Membership[];
}

export interface ExplainedCondition {
  words?: string;
  notes?: string[];
  condition: Condition;
  holds: boolean;
  since: string | null;
  may_change_at: string | null;
  value?: unknown;
  occurrences?: { event_id: string; occurred_at: string }[];
}

export interface ExplainedCluster {
  match: Match;
  holds: boolean;
  conditions: ExplainedCondition[];
}

export interface ExplainedPart {
  name: string | null;
  relation: "include" | "exclude";
  holds: boolean;
  clusters: ExplainedCluster[];
}

export interface Explanation {
  segment_id: string;
  segment_version: number;
  contact_id: string;
  at: string;
  member: boolean;
  since: string | null;
  sequence: number;
  next_change_at: string | null;
  parts: ExplainedPart[];
  words?: string;
}

const AGAIN_MS = 5_000;

export function useContact(contactId: string) {
  return useQuery({
    queryKey: ["contacts", "one", contactId],
    queryFn: ({ signal }) => ask<Contact>(contactPath(contactId), { signal }),
    refetchInterval: AGAIN_MS,
  });
}

export function useExplanation(segmentId: string, contactId: string) {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ["contacts", "explanation", segmentId, contactId, i18n.language],
    queryFn: ({ signal }) =>
      ask<Explanation>(
        withQuery(`${segmentPath(segmentId)}/contacts/${encodeURIComponent(contactId)}/explain`, {
          words: i18n.language,
        }),
        { signal },
      ),
    refetchInterval: AGAIN_MS,
  });
}

export interface ContactPage {
  contacts: { contact_id: string; name: string | null; known_since: string }[];
  next_cursor: string | null;
}

export function useContacts(begin: string, after: string | undefined) {
  return useQuery({
    queryKey: ["contacts", "list", begin, after],
    queryFn: ({ signal }) =>
      ask<ContactPage>(withQuery("/contacts", { q: begin, after, limit: 50 }), { signal }),
    placeholderData: keepPreviousData,
  });
}

export type TimelineRow =
  | {
      at: string;
      kind: "membership";
      segment_id: string;
      change: "entered" | "exited";
      sequence: number;
      /** null for a change from before reasons were kept. */
      reason: { kind: string; ref: string | null } | null;
    }
  | {
      at: string;
      kind: "event";
      event: string;
      event_id: string;
      derived: boolean;
      properties: Record<string, unknown>;
      label: string | null;
    };

export interface Timeline {
  rows: TimelineRow[];
  next_cursor: string | null;
}

export function useTimeline(contactId: string, cursor: string | undefined) {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ["contacts", "timeline", contactId, cursor, i18n.language],
    queryFn: ({ signal }) =>
      ask<Timeline>(withQuery(`${contactPath(contactId)}/timeline`, { cursor, limit: 50 }), { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: cursor === undefined ? AGAIN_MS : false,
  });
}
