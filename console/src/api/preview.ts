/** What a draft would select now, and the difference to what is in force. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Definition, Match } from "../definition/types";
import type { Explanation } from "./contacts";
import { ask, Problem, withQuery } from "./request";
import type { Difference } from "./types";

export interface Reason {
  definition: "draft" | "in_force";
  contacts: number;
  words?: string;
}

export interface Side {
  contacts: number;
  sample: string[];
  reasons?: Reason[];
}

export interface CountedCluster {
  match: Match;
  contacts: number;
  conditions: { contacts: number; words?: string }[];
}

export interface Preview {
  /** How long the answer took. */
  took_ms: number;
  contacts: number;
  sample: string[];
  words?: string;
  compared: {
    known: number;
    at: string;
    with_version: number | null;
    /** The lines of the definition in force and of the draft; null if none is in force. */
    differences?: Difference[] | null;
    entering: Side;
    leaving: Side;
    staying: Side;
    parts: { name: string | null; contacts: number; clusters: CountedCluster[] }[];
  };
}

const SAMPLE = 20;

/** Another question of the account may end this one, or be in its way. */
const AGAIN = {
  retry: (failures: number, error: Error) =>
    failures < 5 && error instanceof Problem && [409, 429, 503].includes(error.status),
  retryDelay: 400,
};

/** Asks for a preview of a definition; not if it is undefined. An older question ends when a newer one begins. */
export function usePreview(definition: Definition | undefined) {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ["preview", definition, i18n.language],
    queryFn: async ({ signal }): Promise<Preview> => {
      const began = performance.now();
      const found = await ask<Omit<Preview, "took_ms">>(withQuery("/preview", { words: i18n.language }), {
        method: "POST",
        body: { definition, sample: SAMPLE, compare: true },
        signal,
      });
      return { ...found, took_ms: performance.now() - began };
    },
    enabled: definition !== undefined,
    placeholderData: keepPreviousData,
    gcTime: 10_000,
    ...AGAIN,
  });
}

/** Why a contact is selected by a draft or not. */
export function useDraftExplanation(definition: Definition, contactId: string) {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ["preview", "explanation", definition, contactId, i18n.language],
    queryFn: ({ signal }) =>
      ask<{ explanation: Explanation }>(withQuery("/preview", { words: i18n.language }), {
        method: "POST",
        body: { definition, contact_id: contactId },
        signal,
      }),
    ...AGAIN,
  });
}
