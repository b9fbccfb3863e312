/** The time zone in which a part of the page shows instants. */

import dayjs, { type Dayjs } from "dayjs";
import timezone from "dayjs/plugin/timezone";
import utc from "dayjs/plugin/utc";
import { createContext, useContext } from "react";

dayjs.extend(utc);
dayjs.extend(timezone);

/** The zone of the viewer, an IANA name. */
export const VIEWERS_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The zone of the definition that a part of the page is about; outside of such a part the viewer's. */
export const Zone = createContext(VIEWERS_ZONE);

export function useZone(): string {
  return useContext(Zone);
}

/** Returns the instant at which clocks in a zone show the date and time that were chosen, whatever zone they were
 * chosen in. */
export function instantIn(zone: string, chosen: Dayjs): string {
  return dayjs.tz(chosen.format("YYYY-MM-DDTHH:mm:ss"), zone).toISOString();
}

/** Returns whether a day has not begun yet in a zone. */
export function isLaterDay(zone: string, day: Dayjs): boolean {
  return day.format("YYYY-MM-DD") > dayjs().tz(zone).format("YYYY-MM-DD");
}
