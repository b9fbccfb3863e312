/** 增长: the size of the segment, who entered and left, by day or hour, as a drawing and as a table. */

import { Empty, Segmented, Skeleton, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Bucket, type Growth as Found, useGrowth } from "../api/growth";
import type { Segment } from "../api/types";
import { Instant } from "../language/times";
import { useZone } from "../language/zones";
import { Failure } from "../parts/failure";
import { GrowthDrawing } from "./growth_drawing";
import { sumOf } from "./growth_sums";

export function Growth({ segment }: { segment: Segment }) {
  const { t } = useTranslation();
  const [by, setBy] = useState<Found["by"]>("day");
  const found = useGrowth(segment.segment_id, by, useZone());
  if (found.error && !found.data) return <Failure error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Skeleton active />;
  const { buckets, versions } = found.data;
  return (
    <div className="growth">
      <Segmented<Found["by"]>
        value={by}
        aria-label={t("growth.by")}
        options={[
          { value: "day", label: t("growth.day") },
          { value: "hour", label: t("growth.hour") },
        ]}
        onChange={setBy}
      />
      {buckets.length === 0 ? (
        <Empty description={t("growth.none")} />
      ) : (
        <>
          <GrowthDrawing growth={found.data} />
          <Buckets buckets={buckets} versions={versions} />
        </>
      )}
    </div>
  );
}

function Buckets({ buckets, versions }: Pick<Found, "buckets" | "versions">) {
  const { t, i18n } = useTranslation();
  const kind = (name: string) => t(`growth.kinds.${name}` as "growth.kinds.time", { defaultValue: name });
  const reasons = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${kind(name)} ${count.toLocaleString(i18n.language)}`)
      .join(" · ");
  const signed = (sign: string, count: number) =>
    count === 0 ? "0" : `${sign}${count.toLocaleString(i18n.language)}`;
  const savedIn = (bucket: Bucket) =>
    versions.filter((one) => buckets[one.bucket] === bucket).map((one) => one.version);
  return (
    <Table<Bucket>
      className="scrolled"
      size="small"
      rowKey="start"
      pagination={{ pageSize: 10, hideOnSinglePage: true, showSizeChanger: false }}
      dataSource={[...buckets].reverse()}
      columns={[
        {
          key: "start",
          title: t("live.at"),
          render: (_, one) => (
            <>
              <Instant at={one.start} />{" "}
              {!one.complete && <span className="quiet">{t("growth.partly")}</span>}
            </>
          ),
        },
        {
          key: "contacts",
          title: t("segments.contacts"),
          align: "right",
          render: (_, one) => <span className="numeric">{one.contacts.toLocaleString(i18n.language)}</span>,
        },
        {
          key: "entered",
          title: t("growth.entered"),
          align: "right",
          render: (_, one) => <span className="numeric">{signed("+", sumOf(one.entered))}</span>,
        },
        { key: "entered_by", title: t("live.reason"), render: (_, one) => reasons(one.entered) },
        {
          key: "left",
          title: t("growth.left"),
          align: "right",
          render: (_, one) => <span className="numeric">{signed("−", sumOf(one.left))}</span>,
        },
        { key: "left_by", title: t("live.reason"), render: (_, one) => reasons(one.left) },
        {
          key: "versions",
          title: t("growth.version"),
          render: (_, one) => savedIn(one).join(", "),
        },
      ]}
    />
  );
}
