import { Alert } from "antd";
import { useTranslation } from "react-i18next";
import type { Segment, SegmentRow } from "../api/types";

interface Props {
  rows: SegmentRow[];
  /** What is known of each, or why it is not known. */
  asked: (Segment | Error)[];
}

/** What is said before segments are deleted: which they are, and which other segments refer to them. */
export function DeleteQuestion({ rows, asked }: Props) {
  const { t } = useTranslation();
  const alsoDeleted = new Set(rows.map((row) => row.segment_id));
  const found = asked.filter((answer): answer is Segment => !(answer instanceof Error));
  const error = asked.find((answer) => answer instanceof Error);
  return (
    <>
      <p>{t("segments.delete_text")}</p>
      <ul>
        {rows.map((row) => (
          <li key={row.segment_id}>
            {row.name}
            <Uses segment={found.find((one) => one.segment_id === row.segment_id)} />
          </li>
        ))}
      </ul>
      {error && <Alert type="warning" showIcon title={error.message} />}
      {found.some((one) => isUsedByOthers(one, alsoDeleted)) && (
        <Alert type="warning" showIcon title={t("segments.delete_used")} />
      )}
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
