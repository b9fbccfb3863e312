import { DatePicker, Select } from "antd";
import dayjs from "dayjs";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Which } from "../api/segments";
import { instantIn, isLaterDay, useZone } from "../language/zones";

const KINDS = ["now", "left", "at"] as const;
type Kind = (typeof KINDS)[number];

interface Props {
  choose: (which: Which) => void;
  /** What stands at the end of the line. */
  children: ReactNode;
}

/** Chooses between the members of now, those who left in the last 7 days, and those at an instant. */
export function WhichMembers({ choose, children }: Props) {
  const { t } = useTranslation();
  const zone = useZone();
  const [kind, setKind] = useState<Kind>("now");
  const ask = (next: Kind) => {
    setKind(next);
    if (next === "left") choose({ left_since: dayjs().subtract(7, "day").toISOString() });
    else choose({});
  };
  return (
    <div className="toolbar">
      <Select<Kind>
        aria-label={t("members.which")}
        popupMatchSelectWidth={false}
        value={kind}
        options={KINDS.map((value) => ({ value, label: t(`members.${value}`) }))}
        onChange={ask}
      />
      {kind === "at" && (
        <DatePicker
          showTime
          // It would choose what the viewer's clock shows.
          showNow={false}
          aria-label={t("members.instant")}
          placeholder={t("members.instant")}
          disabledDate={(day) => isLaterDay(zone, day)}
          onChange={(chosen) => choose(chosen ? { at: instantIn(zone, chosen) } : {})}
        />
      )}
      {children}
    </div>
  );
}
