import { CheckCircleOutlined, ClockCircleOutlined, SyncOutlined } from "@ant-design/icons";
import { Progress } from "antd";
import type { SegmentRow } from "../api/types";

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
    </span>
  );
}
