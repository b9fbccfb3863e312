/** What a definition may contain, in both languages, and the names and values that were seen. */

import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ask } from "./request";

export interface Label {
  zh: string;
  en: string;
}

export type Operand =
  | "text"
  | "pattern"
  | "number"
  | "time"
  | "duration"
  | "list"
  | "scalar_or_list"
  | "range"
  | "number_range"
  | "offset_range"
  | "period"
  | "calendar"
  | "anniversary"
  | "age_range";

export interface Operator {
  name: string;
  positive: string;
  operand: Operand | null;
  kinds: string[];
  moves: boolean;
  compares_text: boolean;
  compares_numbers: boolean;
  label: Label;
}

export interface NamedLabel {
  name: string;
  label: Label;
}

export interface SeenValue {
  value: unknown;
  count: number;
}

export interface Field {
  name: string;
  label: Label | null;
  identifies: boolean;
  type: string | null;
  seen: { values: SeenValue[] } | null;
}

export interface KnownAttribute extends Field {
  standard: boolean;
}

export interface KnownEvent {
  name: string;
  label: Label | null;
  standard: boolean;
  derived: boolean;
  seen: { count: number } | null;
  properties: Field[];
}

export interface Vocabulary {
  timezone: string;
  operators: Operator[];
  count_operators: { name: string; operand: Operand; label: Label }[];
  functions: NamedLabel[];
  units: NamedLabel[];
  calendar_parts: (NamedLabel & { low: number; high: number })[];
  conditions: { kind: string; label: Label }[];
  windows: { form: string; label: Label; example: unknown }[];
  attributes: KnownAttribute[];
  events: KnownEvent[];
}

const MINUTES_5 = 300_000;

export function useVocabulary() {
  return useQuery({
    queryKey: ["vocabulary"],
    queryFn: ({ signal }) => ask<Vocabulary>("/vocabulary", { signal }),
    staleTime: MINUTES_5,
  });
}

/** Returns the label of a name in the user's language; the name itself if it has none. */
export function useLabel(): (
  entry: { name: string; label: Label | null } | undefined,
  name?: string,
) => string {
  const { i18n } = useTranslation();
  return (entry, name) => entry?.label?.[i18n.language === "en" ? "en" : "zh"] ?? entry?.name ?? name ?? "";
}
