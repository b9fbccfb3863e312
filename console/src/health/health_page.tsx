/** 运行状况: all workers and partitions, what was refused, and the settings in force, for administrators. */

import { CheckCircleOutlined, CloseCircleOutlined } from "@ant-design/icons";
import { Alert, Card, Skeleton, Typography } from "antd";
import { useTranslation } from "react-i18next";
import { useWorkers, type Worker } from "../api/workers";
import { Failure } from "../parts/failure";
import { partitionsOf } from "./facts";
import { PartitionTable } from "./partition_table";
import { RefusedRecords } from "./refused_records";
import { SettingTable } from "./setting_table";
import { WorkerTable } from "./worker_table";

export function HealthPage() {
  const { t } = useTranslation();
  const found = useWorkers();
  return (
    <div className="screen">
      <title>{t("screens.health")}</title>
      <div className="screen-head">
        <Typography.Title level={1}>{t("screens.health")}</Typography.Title>
        {found.data && <Summary workers={found.data.workers} />}
      </div>
      {found.error && !found.data && <Failure error={found.error} retry={() => found.refetch()} />}
      {found.error && found.data && <Alert type="warning" showIcon title={found.error.message} />}
      {found.isPending && <Skeleton active />}
      {found.data && <Cards workers={found.data.workers} />}
    </div>
  );
}

function Cards({ workers }: { workers: Worker[] }) {
  const { t } = useTranslation();
  return (
    <div className="stack">
      <Card title={t("health.workers")} size="small">
        <WorkerTable workers={workers} />
      </Card>
      <Card title={t("health.partitions")} size="small">
        <PartitionTable rows={partitionsOf(workers)} />
      </Card>
      <Card title={t("health.refused")} size="small">
        <RefusedRecords workers={workers} />
      </Card>
      <Card title={t("health.settings")} size="small">
        <SettingTable workers={workers} />
      </Card>
    </div>
  );
}

function Summary({ workers }: { workers: Worker[] }) {
  const { t } = useTranslation();
  const ready = workers.filter((one) => one.condition?.ready).length;
  const unowned = partitionsOf(workers).filter((one) => one.owner === undefined).length;
  const well = ready === workers.length && unowned === 0;
  return (
    <span className={well ? "sign holds" : "sign fails"} role="status">
      {well ? <CheckCircleOutlined aria-hidden /> : <CloseCircleOutlined aria-hidden />}{" "}
      {t("health.summary", { ready, total: workers.length })}
      {unowned > 0 && ` · ${t("health.unowned", { count: unowned })}`}
    </span>
  );
}
