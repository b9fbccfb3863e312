/** What happened to a contact: events and changes of memberships, the latest first. */

import { LoginOutlined, LogoutOutlined, ThunderboltOutlined } from "@ant-design/icons";
import { Empty, Timeline as Line, Skeleton } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { explainAddress } from "../addresses";
import { type TimelineRow, useTimeline } from "../api/contacts";
import { useSegmentNames } from "../api/segments";
import { Instant } from "../language/times";
import { Failure } from "../parts/failure";
import { PageButtons } from "../parts/page_buttons";
import { EventProperties } from "./event_properties";

interface Props {
  contactId: string;
  /** Segment id -> name. */
  names: Map<string, string>;
}

export function Timeline({ contactId }: { contactId: string }) {
  const { t } = useTranslation();
  const [cursors, setCursors] = useState<string[]>([]);
  const page = useTimeline(contactId, cursors.at(-1));
  const next = page.data?.next_cursor;
  const rows = page.data?.rows ?? [];
  const names = useSegmentNames(rows.flatMap((row) => (row.kind === "membership" ? [row.segment_id] : [])));
  return (
    <>
      {page.error && !page.data && <Failure error={page.error} retry={() => page.refetch()} />}
      {page.isPending && <Skeleton active />}
      {page.data && rows.length === 0 && <Empty description={t("timeline.none")} />}
      <Line
        items={rows.map((row) => ({
          key: row.kind === "event" ? `e ${row.event_id}` : `m ${row.segment_id} ${row.sequence} ${row.at}`,
          icon: <RowIcon row={row} />,
          content: <Entry row={row} contactId={contactId} names={names} />,
        }))}
      />
      <PageButtons
        number={cursors.length}
        back={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : undefined}
        forth={next ? () => setCursors([...cursors, next]) : undefined}
      />
    </>
  );
}

function RowIcon({ row }: { row: TimelineRow }) {
  if (row.kind === "event") return <ThunderboltOutlined aria-hidden />;
  return row.change === "entered" ? (
    <LoginOutlined className="sign holds" aria-hidden />
  ) : (
    <LogoutOutlined className="sign fails" aria-hidden />
  );
}

function Entry({ row, contactId, names }: Props & { row: TimelineRow }) {
  const { t } = useTranslation();
  return (
    <div>
      <span className="quiet">
        <Instant at={row.at} />
      </span>{" "}
      {row.kind === "membership" ? (
        <>
          {t(`timeline.${row.change}`)}{" "}
          <Link to={explainAddress(row.segment_id, contactId)}>
            {names.get(row.segment_id) ?? row.segment_id}
          </Link>
          {row.reason && (
            <span className="quiet">
              {" · "}
              {t(`growth.kinds.${row.reason.kind}` as "growth.kinds.time", { defaultValue: row.reason.kind })}
            </span>
          )}
        </>
      ) : (
        <>
          {row.label ?? row.event} <EventProperties event={row.event} properties={row.properties} />
        </>
      )}
    </div>
  );
}
