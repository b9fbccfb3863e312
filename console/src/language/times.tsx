/** Instants as text of the user's language, in the time zone of the part of the page; the title has the same instant
 * in the viewer's zone and in UTC. */

import { useTranslation } from "react-i18next";
import { useZone, VIEWERS_ZONE } from "./zones";

interface Props {
  at: string | number | null | undefined;
  /** An IANA time zone, if it is not that of the part of the page. */
  zone?: string | undefined;
  milliseconds?: boolean;
}

export function Instant({ at, zone, milliseconds = false }: Props) {
  const { i18n } = useTranslation();
  const around = useZone();
  if (at === null || at === undefined) return <span aria-hidden="true">–</span>;
  const instant = new Date(at);
  if (Number.isNaN(instant.getTime())) return <span>{String(at)}</span>;
  const iso = instant.toISOString();
  const utc = `${iso.replace("T", " ").replace("Z", "")} UTC`;
  const shown = zone ?? around;
  const text = instantText(instant, i18n.language, shown);
  const rest = milliseconds && instant.getMilliseconds() !== 0 ? iso.slice(19, 23) : "";
  return (
    <time
      dateTime={iso}
      title={
        shown === VIEWERS_ZONE
          ? utc
          : `${instantText(instant, i18n.language, VIEWERS_ZONE)} ${VIEWERS_ZONE} · ${utc}`
      }
    >
      {text}
      {rest}
    </time>
  );
}

/** Returns an instant such as `2026-11-29 13:05:07`, in a time zone. */
export function instantText(instant: Date, language: string, zone: string): string {
  // Swedish dates are written as ISO 8601 has them, which everybody reads in the same way.
  const formatted = new Intl.DateTimeFormat(language === "en" ? "sv-SE" : "zh-CN", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  });
  return formatted.format(instant).replaceAll("/", "-").replace(",", "");
}

const UNITS = [
  { unit: "day", ms: 86_400_000 },
  { unit: "hour", ms: 3_600_000 },
  { unit: "minute", ms: 60_000 },
  { unit: "second", ms: 1_000 },
];

/** Returns a length of time in its greatest unit, such as `2.5 hr`. */
export function durationText(ms: number, language: string): string {
  const { unit, ms: length } = UNITS.find((one) => ms >= one.ms) ?? { unit: "second", ms: 1_000 };
  const format = new Intl.NumberFormat(language, {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: 1,
  });
  return format.format(ms / length);
}
