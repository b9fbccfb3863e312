import { CheckCircleOutlined, ClockCircleOutlined, SyncOutlined, WarningOutlined } from "@ant-design/icons";
import { Progress } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { STALLED_MS } from "../api/progress";
import { useSession } from "../api/session";
import type { SegmentRow } from "../api/types";
import { HEALTH, isOffered } from "../layout/screens";

/** 未计算, 计算中 with its progress, 计算完成 or "/". The text says it; the sign only repeats it. */
export function StatusCell({ row }: { row: SegmentRow }) {
  const percent = Math.floor(row.progress * 100);
  return (
    <span className={`status ${row.status}`}>
      {row.status === "completed" && <CheckCircleOutlined aria-hidden />}
      {row.status === "calculating" && <SyncOutlined spin aria-hidden />}
      {row.status === "not_calculated" && <ClockCircleOutlined aria-hidden />} {row.status_label}
      {row.status === "calculating" && (
        <Progress percent={percent} size="small" aria-label={row.status_label} />
      )}
      {row.pace?.stalled ? <Stalled /> : <Rest ms={row.pace?.rest_ms ?? null} />}
    </span>
  );
}

/** Says how long a calculation will still take, in whole minutes. */
function Rest({ ms }: { ms: number | null }) {
  const { t } = useTranslation();
  if (ms === null) return null;
  const minutes = Math.round(ms / 60_000);
  return (
    <span className="rest">
      {minutes === 0 ? t("statuses.rest_short") : t("statuses.rest", { count: minutes })}
    </span>
  );
}

/** Says that a calculation makes no progress; the reason stands on the screen for operators. */
function Stalled() {
  const { t } = useTranslation();
  const session = useSession();
  const text = t("statuses.stalled", { seconds: STALLED_MS / 1_000 });
  return (
    <span className="stalled">
      <WarningOutlined aria-hidden />{" "}
      {isOffered(HEALTH, session.data) ? <Link to={HEALTH.path}>{text}</Link> : text}
    </span>
  );
}
