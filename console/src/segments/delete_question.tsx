import { Alert, Skeleton } from "antd";
import { useTranslation } from "react-i18next";
import { useUses } from "../api/segments";
import type { Segment, SegmentRow } from "../api/types";

/** What is said before segments are deleted: which they are, and which other segments refer to them. */
export function DeleteQuestion({ rows }: { rows: SegmentRow[] }) {
  const { t } = useTranslation();
  const asked = useUses(rows.map((row) => row.segment_id));
  const alsoDeleted = new Set(rows.map((row) => row.segment_id));
  const isUsed = asked.some(({ data }) => data && isUsedByOthers(data, alsoDeleted));
  const error = asked.find((answer) => answer.error)?.error;
  return (
    <>
      <p>{t("segments.delete_text")}</p>
      <ul>
        {rows.map((row, place) => (
          <li key={row.segment_id}>
            {row.name}
            <Uses segment={asked[place]?.data} />
          </li>
        ))}
      </ul>
      {asked.some((answer) => answer.isPending) && <Skeleton active title={false} paragraph={{ rows: 1 }} />}
      {error && <Alert type="warning" showIcon title={error.message} />}
      {isUsed && <Alert type="warning" showIcon title={t("segments.delete_used")} />}
    </>
  );
}

function isUsedByOthers(segment: Segment, alsoDeleted: Set<string>): boolean {
  const users = segment.used_in ?? [];
  return (segment.used_in_hidden ?? 0) > 0 || users.some((user) => !alsoDeleted.has(user.segment_id));
}

function Uses({ segment }: { segment: Segment | undefined }) {
  const { t } = useTranslation();
  const hidden = segment?.used_in_hidden ?? 0;
  const names = (segment?.used_in ?? []).map((user) => user.name);
  if (hidden > 0) names.push(t("segment.used_in_hidden", { count: hidden }));
  if (names.length === 0) return null;
  return (
    <div>
      {t("segment.used_in")}
      <ul>
        {names.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
    </div>
  );
}
