import { Alert } from "antd";
import { useTranslation } from "react-i18next";
import type { SegmentRow } from "../api/types";
import type { Use } from "../api/uses";
import { Lineage } from "../parts/lineage";

interface Props {
  rows: SegmentRow[];
  /** What is known of each, or why it is not known. */
  asked: (Use | Error)[];
}

/** What is said before segments are deleted: which they are, and which other segments refer to them. */
export function DeleteQuestion({ rows, asked }: Props) {
  const { t } = useTranslation();
  const alsoDeleted = new Set(rows.map((row) => row.segment_id));
  const found = asked.filter((answer): answer is Use => !(answer instanceof Error));
  const error = asked.find((answer) => answer instanceof Error);
  return (
    <>
      <p>{t("segments.delete_text")}</p>
      <ul>
        {rows.map((row) => (
          <li key={row.segment_id}>
            {row.name}
            <Uses uses={found.find((one) => one.segment_id === row.segment_id)} />
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

function isUsedByOthers(uses: Use, alsoDeleted: Set<string>): boolean {
  return uses.hidden > 0 || uses.users.some((user) => !alsoDeleted.has(user.segment_id));
}

function Uses({ uses }: { uses: Use | undefined }) {
  const { t } = useTranslation();
  if (uses === undefined || (uses.users.length === 0 && uses.hidden === 0)) return null;
  return (
    <div>
      {t("segment.used_in")}
      {/* A dialog of this kind stands outside of the router. */}
      <Lineage of={uses} linked={false} />
    </div>
  );
}
