import { Descriptions } from "antd";
import { useTranslation } from "react-i18next";
import type { Segment } from "../api/types";
import { useUses } from "../api/uses";
import { Instant } from "../language/times";
import { Lineage } from "../parts/lineage";
import { MainSentence } from "../parts/sentence";

/** The conditions in words, where the segment is used, and who changed it last. */
export function Conditions({ segment }: { segment: Segment }) {
  const { t } = useTranslation();
  const uses = useUses(segment.segment_id).data;
  const isUsed = uses !== undefined && (uses.users.length > 0 || uses.hidden > 0);
  return (
    <>
      <MainSentence words={segment.words ?? t("segment.built_in_words")} />
      <Descriptions
        size="small"
        column={{ xs: 1, md: 2 }}
        bordered
        items={[
          { key: "id", label: t("segment.id"), children: segment.segment_id },
          { key: "version", label: t("segment.version"), children: segment.version },
          { key: "created_by", label: t("segments.created_by"), children: segment.created_by ?? "–" },
          {
            key: "created_at",
            label: t("segments.created_at"),
            children: <Instant at={segment.created_at} />,
          },
          { key: "updated_by", label: t("segments.updated_by"), children: segment.updated_by ?? "–" },
          {
            key: "updated_at",
            label: t("segments.updated_at"),
            children: <Instant at={segment.updated_at} />,
          },
          {
            key: "timezone",
            label: t("segment.timezone"),
            children: segment.definition?.timezone ?? t("segment.configured_timezone"),
          },
          {
            key: "used_in",
            label: t("segment.used_in"),
            children: isUsed ? <Lineage of={uses} /> : "–",
          },
        ]}
      />
    </>
  );
}
