/** 死信: the records that were refused since the workers started, by code, and the last ones with their reasons. */

import { Empty, Table, Tag } from "antd";
import { useTranslation } from "react-i18next";
import type { RefusedRecord, Worker } from "../api/workers";
import { Instant } from "../language/times";
import { lastRefused, refusedByCode } from "./facts";

export function RefusedRecords({ workers }: { workers: Worker[] }) {
  const { t, i18n } = useTranslation();
  const counts = refusedByCode(workers);
  if (counts.length === 0) return <Empty description={t("health.none_refused")} />;
  return (
    <>
      <ul className="counts" aria-label={t("health.by_code")}>
        {counts.map(([code, count]) => (
          <li key={code}>
            <Tag>
              {code} <strong className="numeric">{count.toLocaleString(i18n.language)}</strong>
            </Tag>
          </li>
        ))}
      </ul>
      <Table<RefusedRecord>
        className="scrolled"
        size="small"
        rowKey={(one) => `${one.topic} ${one.partition} ${one.offset} ${one.at} ${one.path}`}
        pagination={{ pageSize: 10, hideOnSinglePage: true, showSizeChanger: false }}
        dataSource={lastRefused(workers)}
        columns={[
          { key: "at", title: t("live.at"), width: 160, render: (_, one) => <Instant at={one.at} /> },
          { key: "code", title: t("health.code"), render: (_, one) => one.code },
          {
            key: "reason",
            title: t("live.reason"),
            render: (_, one) => (
              <>
                {one.path !== "" && <code>{one.path}</code>} {one.message}
              </>
            ),
          },
          {
            key: "applied",
            title: t("health.applied"),
            render: (_, one) => t(`health.applied_as.${one.applied}`),
          },
          {
            key: "place",
            title: t("health.place"),
            render: (_, one) => (
              <span className="numeric">{`${one.topic} / ${one.partition} / ${one.offset}`}</span>
            ),
          },
        ]}
      />
    </>
  );
}
