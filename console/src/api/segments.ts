/** Questions and commands about segments and their list. */

import { keepPreviousData, useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Definition } from "../definition/types";
import { noteProgress, type SeenProgress } from "./progress";
import { ask, segmentPath, withQuery } from "./request";
import type { Member, MemberPage, Segment, SegmentPage, SegmentRow } from "./types";

export interface ListQuestion {
  group?: string | undefined;
  q?: string | undefined;
  type?: string | undefined;
  status?: string | undefined;
  created_by?: string | undefined;
  sort?: string | undefined;
  order?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** While something calculates, the list is asked more often, but a screen reader is not interrupted all the time. */
const BUSY_MS = 2_000;
const IDLE_MS = 5_000;
/** A name is seldom changed. */
const NAME_MS = 60_000;
/** More names are not asked for at a time; ids stand in their place. */
const MOST_NAMES = 100;

/** The list and a segment's screen note into one, so that going from one to the other begins nothing anew. */
const SEEN: SeenProgress = new Map();

function noted<Row extends SegmentRow>(row: Row): Row {
  return { ...row, pace: noteProgress(SEEN, row, Date.now()) };
}

export function useSegments(question: ListQuestion) {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ["segments", "list", question, i18n.language],
    queryFn: async ({ signal }) => {
      const page = await ask<SegmentPage>(withQuery("/segments", { ...question }), { signal });
      return { ...page, rows: page.rows.map(noted) };
    },
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.rows.some((row) => row.status === "calculating") ? BUSY_MS : IDLE_MS,
  });
}

export function useSegment(segmentId: string) {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ["segments", "one", segmentId, i18n.language],
    queryFn: async ({ signal }) =>
      noted(await ask<Segment>(withQuery(segmentPath(segmentId), { words: i18n.language }), { signal })),
    enabled: segmentId !== "",
    refetchInterval: ({ state }) => (state.data?.status === "calculating" ? BUSY_MS : IDLE_MS),
  });
}

/** Returns a function that asks for the conditions of a segment in words; undefined if it has none. */
export function useAskWords(): (segmentId: string) => Promise<string | undefined> {
  const { i18n } = useTranslation();
  const questions = useQueryClient();
  return async (segmentId) => {
    const found = await questions.fetchQuery({
      queryKey: ["segments", "words", segmentId, i18n.language],
      queryFn: ({ signal }) =>
        ask<Segment>(withQuery(segmentPath(segmentId), { words: i18n.language }), { signal }),
      staleTime: IDLE_MS,
    });
    return found.words ?? undefined;
  };
}

/** Whom of a segment to list: the members now, those at an instant, or those who left since an instant; of these
 * only those whose ids begin with `q`. */
export interface Which {
  q?: string | undefined;
  at?: string | undefined;
  left_since?: string | undefined;
}

export function useMembers(segmentId: string, after: string | undefined, which: Which) {
  return useQuery({
    queryKey: ["segments", "members", segmentId, after, which],
    queryFn: async ({ signal }) => {
      let from = after;
      for (;;) {
        const asked = withQuery(`${segmentPath(segmentId)}/contacts`, { after: from, limit: 50, ...which });
        const page = await ask<MemberPage>(asked, { signal });
        // A page of the past may be empty although others follow.
        if (page.contacts.length > 0 || page.next_cursor === null) return page;
        from = page.next_cursor;
      }
    },
    placeholderData: keepPreviousData,
    refetchInterval: which.at === undefined ? IDLE_MS : false,
  });
}

/** So many members are put into a file at most. */
export const MOST_MEMBERS = 10_000;
/** The largest page that the API gives. */
const MEMBERS_A_PAGE = 1_000;

/** Returns the members on all pages, up to MOST_MEMBERS, and whether there are more. */
export async function allMembers(
  segmentId: string,
  which: Which,
): Promise<{ members: Member[]; more: boolean }> {
  const members: Member[] = [];
  let after: string | null | undefined;
  do {
    const asked = { after, limit: MEMBERS_A_PAGE, ...which };
    const page = await ask<MemberPage>(withQuery(`${segmentPath(segmentId)}/contacts`, asked));
    members.push(...page.contacts);
    after = page.next_cursor;
  } while (after !== null && members.length <= MOST_MEMBERS);
  return { members: members.slice(0, MOST_MEMBERS), more: members.length > MOST_MEMBERS };
}

/** A change: afterwards everything that is shown of segments and groups is asked again. */
export function useChange<Given, Answer>(change: (given: Given) => Promise<Answer>) {
  const questions = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () =>
      Promise.all([
        questions.invalidateQueries({ queryKey: ["segments"] }),
        questions.invalidateQueries({ queryKey: ["groups"] }),
      ]),
  });
}

export function useCopySegment() {
  return useChange((segmentId: string) =>
    ask<Segment>(`${segmentPath(segmentId)}/copy`, { method: "POST", body: {} }),
  );
}

export interface Batch {
  command: "move" | "share" | "calculate" | "delete";
  segment_ids: string[];
  group?: string;
  accounts?: string[];
}

export function useBatch() {
  return useChange(({ command, ...body }: Batch) =>
    ask<{ segment_ids: string[] }>(`/batch/${command}`, { method: "POST", body }),
  );
}

export interface GroupChange {
  change: "create" | "rename" | "delete";
  group: string;
  new_name?: string;
}

export function useGroupChange() {
  return useChange(({ change, group, new_name }: GroupChange) => {
    const address = `/groups/${encodeURIComponent(group)}`;
    if (change === "create") return ask("/groups", { method: "POST", body: { group } });
    if (change === "rename") return ask(address, { method: "PATCH", body: { group: new_name } });
    return ask(address, { method: "DELETE" });
  });
}

export interface Saved {
  definition: Definition;
  /** The version that was edited; undefined for a new segment. */
  version: number | undefined;
}

/** Returns the request that saves a definition: it creates the segment, or replaces exactly the version that was
 * edited. */
export function savingOf(definition: Definition, version: number | undefined) {
  if (version === undefined || definition.segment_id === undefined) {
    return { method: "POST" as const, path: "/segments", headers: {}, body: definition };
  }
  const headers = { "If-Match": `"${version}"` };
  return { method: "PUT" as const, path: segmentPath(definition.segment_id), headers, body: definition };
}

export function useSaveSegment() {
  return useChange(({ definition, version }: Saved) => {
    const { path, ...saving } = savingOf(definition, version);
    return ask<Segment>(path, saving);
  });
}

/** Returns the names of segments: segment id -> name. One that the user does not see has none. */
export function useSegmentNames(segmentIds: string[]): Map<string, string> {
  const wanted = [...new Set(segmentIds)].slice(0, MOST_NAMES);
  return useQueries({
    queries: wanted.map((segmentId) => ({
      queryKey: ["segments", "name", segmentId],
      queryFn: ({ signal }: { signal: AbortSignal }) => ask<Segment>(segmentPath(segmentId), { signal }),
      staleTime: NAME_MS,
    })),
    combine: (found) =>
      new Map(found.flatMap(({ data }) => (data ? [[data.segment_id, data.name] as const] : []))),
  });
}
