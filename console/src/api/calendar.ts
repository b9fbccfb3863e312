/** How often which events happened to a contact, by day. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ask, contactPath, withQuery } from "./request";

export interface CountedEvent {
  event: string;
  count: number;
  label: string | null;
}

export interface Calendar {
  month: string;
  timezone: string;
  days: { day: string; events: CountedEvent[] }[];
  /** The months that have events, the earliest first. */
  months: string[];
}

export function useCalendar(contactId: string, month: string, timezone: string) {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ["contacts", "calendar", contactId, month, timezone, i18n.language],
    queryFn: ({ signal }) =>
      ask<Calendar>(withQuery(`${contactPath(contactId)}/calendar`, { month, timezone }), { signal }),
    placeholderData: keepPreviousData,
  });
}
