import { CheckCircleOutlined, CloseCircleOutlined, WarningOutlined } from "@ant-design/icons";
import { Table, Tag } from "antd";
import { useTranslation } from "react-i18next";
import type { Worker } from "../api/workers";
import { Instant } from "../language/times";

export function WorkerTable({ workers }: { workers: Worker[] }) {
  const { t } = useTranslation();
  return (
    <Table<Worker>
      className="scrolled"
      size="small"
      rowKey="url"
      pagination={false}
      dataSource={workers}
      columns={[
        {
          key: "url",
          title: t("health.address"),
          render: (_, one) => (
            <>
              {one.url} {one.condition?.leader && <Tag color="blue">{t("health.leader")}</Tag>}
            </>
          ),
        },
        { key: "state", title: t("segments.status"), render: (_, one) => <Readiness worker={one} /> },
        {
          key: "since",
          title: t("health.since"),
          render: (_, one) => <Instant at={one.condition?.since} />,
        },
        { key: "version", title: t("segment.version"), render: (_, one) => one.condition?.version ?? "–" },
        {
          key: "form",
          title: t("health.form"),
          render: (_, one) => (one.condition ? t(`health.forms.${one.condition.form}`) : "–"),
        },
        {
          key: "partitions",
          title: t("health.partitions"),
          align: "right",
          render: (_, one) => <span className="numeric">{one.condition?.partitions.length ?? "–"}</span>,
        },
        { key: "clock", title: t("health.clock"), render: (_, one) => <Clock worker={one} /> },
      ]}
    />
  );
}

function Readiness({ worker }: { worker: Worker }) {
  const { t } = useTranslation();
  if (worker.condition?.ready) {
    return (
      <span className="sign holds">
        <CheckCircleOutlined aria-hidden /> {t("health.ready")}
      </span>
    );
  }
  return (
    <div>
      <span className="sign fails">
        <CloseCircleOutlined aria-hidden /> {worker.condition ? t("health.not_ready") : t("health.no_answer")}
      </span>
      {(worker.condition?.reasons ?? [worker.problem ?? ""]).map((reason) => (
        <div key={reason}>{reason}</div>
      ))}
    </div>
  );
}

function Clock({ worker }: { worker: Worker }) {
  if (!worker.condition) return "–";
  return (
    <>
      <Instant at={worker.condition.clock} />
      {worker.condition.clock_doubt && (
        <div className="sign fails">
          <WarningOutlined aria-hidden /> {worker.condition.clock_doubt}
        </div>
      )}
    </>
  );
}
