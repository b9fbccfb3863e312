import { CheckCircleOutlined, CloseCircleOutlined, SyncOutlined } from "@ant-design/icons";
import { Progress, Table } from "antd";
import { useTranslation } from "react-i18next";
import type { Share } from "../api/workers";
import { durationText, Instant } from "../language/times";
import type { OwnedPartition } from "./facts";

const EVENTS = "behavior-events";
const UPDATES = "contact-updates";

export function PartitionTable({ rows }: { rows: OwnedPartition[] }) {
  const { t, i18n } = useTranslation();
  const lag = (topic: string) => (_: unknown, one: OwnedPartition) => {
    const records = one.condition?.lag[topic];
    return (
      <span className="numeric">
        {records === undefined || records === null ? "–" : records.toLocaleString(i18n.language)}
      </span>
    );
  };
  return (
    <Table<OwnedPartition>
      className="scrolled"
      size="small"
      rowKey={(one) => `${one.partition} ${one.owner ?? ""}`}
      pagination={false}
      dataSource={rows}
      columns={[
        {
          key: "partition",
          title: t("health.partition"),
          align: "right",
          width: 70,
          render: (_, one) => <span className="numeric">{one.partition}</span>,
        },
        {
          key: "owner",
          title: t("health.owner"),
          render: (_, one) =>
            one.owner ?? (
              <span className="sign fails">
                <CloseCircleOutlined aria-hidden /> {t("health.no_owner")}
              </span>
            ),
        },
        { key: "state", title: t("segments.status"), render: (_, one) => <State row={one} /> },
        { key: "events", title: t("health.lag_events"), align: "right", render: lag(EVENTS) },
        { key: "updates", title: t("health.lag_updates"), align: "right", render: lag(UPDATES) },
        {
          key: "behind",
          title: t("health.behind"),
          align: "right",
          render: (_, one) => (
            <span className="numeric">
              {one.condition?.behind_ms === null || one.condition === undefined
                ? "–"
                : durationText(one.condition.behind_ms, i18n.language)}
            </span>
          ),
        },
        {
          key: "clock",
          title: t("health.stream_time"),
          render: (_, one) => <Instant at={one.condition?.clock} />,
        },
      ]}
    />
  );
}

function State({ row }: { row: OwnedPartition }) {
  const { t } = useTranslation();
  const { condition } = row;
  if (!condition) return "–";
  if (condition.state === "at_work" && !condition.swept) {
    return (
      <span className="sign holds">
        <CheckCircleOutlined aria-hidden /> {t("health.states.at_work")}
      </span>
    );
  }
  const name = condition.swept ? t("health.sweeping") : t(`health.states.${condition.state}`);
  return (
    <span>
      <SyncOutlined aria-hidden /> {name} <Done label={name} share={condition.restored ?? condition.swept} />
    </span>
  );
}

function Done({ label, share }: { label: string; share: Share | null }) {
  const { i18n } = useTranslation();
  if (!share) return null;
  const percent = share.total === 0 ? 100 : Math.floor((share.done / share.total) * 100);
  const figures = [share.done, share.total].map((one) => one.toLocaleString(i18n.language)).join(" / ");
  return (
    <>
      <span className="numeric quiet">{figures}</span>
      <Progress percent={percent} size="small" aria-label={label} />
    </>
  );
}
