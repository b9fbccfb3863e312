import { ClockCircleOutlined } from "@ant-design/icons";
import { Tag } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Segment } from "../api/types";
import { useVocabulary } from "../api/vocabulary";
import { useZone, VIEWERS_ZONE, Zone } from "../language/zones";

interface Props {
  /** undefined as long as it is not known. */
  segment: Segment | undefined;
  children: ReactNode;
}

/** Shows instants in the time zone in which a segment's conditions are evaluated. */
export function InZoneOf({ segment, children }: Props) {
  const configured = useVocabulary().data?.timezone;
  const zone = segment?.definition?.timezone ?? configured ?? VIEWERS_ZONE;
  return <Zone value={zone}>{children}</Zone>;
}

/** Names the zone in which instants are shown, if it is not the viewer's. */
export function ZoneSign() {
  const { t } = useTranslation();
  const zone = useZone();
  if (zone === VIEWERS_ZONE) return null;
  return <Tag icon={<ClockCircleOutlined aria-hidden />}>{t("segment.times_in", { zone })}</Tag>;
}
