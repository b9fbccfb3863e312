/** One segment: its conditions in words, its contacts, and why somebody is in it or not. */

import { Button, Skeleton, Space, Tabs, Tag, Typography } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { editAddress } from "../addresses";
import { useSegment } from "../api/segments";
import type { Segment } from "../api/types";
import { Failure } from "../parts/failure";
import { InZoneOf, ZoneSign } from "../parts/in_zone";
import { useSegmentCommands } from "../segments/segment_commands";
import { StatusCell } from "../segments/status_cell";
import { Conditions } from "./conditions";
import { Contacts } from "./contacts";
import { ExplainOne } from "./explain_one";
import { Growth } from "./growth";
import { LiveChanges } from "./live_changes";
import { Sharing } from "./sharing";
import { Versions } from "./versions";

export function SegmentPage() {
  const { segmentId = "" } = useParams();
  const segment = useSegment(segmentId);
  if (segment.error && !segment.data)
    return <Failure error={segment.error} retry={() => segment.refetch()} />;
  if (!segment.data) return <Skeleton className="screen" active />;
  return (
    <div className="screen">
      <title>{segment.data.name}</title>
      <InZoneOf segment={segment.data}>
        <Head segment={segment.data} />
        <Body segment={segment.data} />
      </InZoneOf>
    </div>
  );
}

function Head({ segment }: { segment: Segment }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const commands = useSegmentCommands();
  const may = (operation: Segment["operations"][number]) => segment.operations.includes(operation);
  return (
    <div className="screen-head">
      <Typography.Title level={1}>{segment.name}</Typography.Title>
      <Tag>{segment.type_label}</Tag>
      <span aria-live="polite">
        <StatusCell row={segment} />
      </span>
      {segment.status === "calculating" && (
        <Typography.Text type="secondary">{t("statuses.meanwhile")}</Typography.Text>
      )}
      <ZoneSign />
      <span className="numeric">
        {t("segment.contacts_count", {
          count: segment.contacts,
          shown: segment.contacts.toLocaleString(i18n.language),
        })}
      </span>
      <span className="push" />
      <Space wrap>
        {may("edit") && segment.type !== "static" && (
          <Button type="primary" onClick={() => navigate(editAddress(segment.segment_id))}>
            {t("operations.edit")}
          </Button>
        )}
        {may("calculate") && segment.status !== "calculating" && segment.type !== "static" && (
          <Button onClick={() => commands.calculate([segment])}>{t("operations.calculate")}</Button>
        )}
        {may("copy") && <Button onClick={() => commands.copy(segment)}>{t("operations.copy")}</Button>}
        {may("delete") && (
          <Button danger onClick={() => commands.remove([segment], () => navigate("/segments"))}>
            {t("operations.delete")}
          </Button>
        )}
      </Space>
    </div>
  );
}

function Body({ segment }: { segment: Segment }) {
  const { t } = useTranslation();
  const [address, setAddress] = useSearchParams();
  const readable = segment.status !== "not_calculated" && segment.operations.includes("view_contacts");
  return (
    <Tabs
      activeKey={address.get("tab") ?? "conditions"}
      onChange={(tab) => setAddress({ tab })}
      items={[
        { key: "conditions", label: t("segment.conditions"), children: <Conditions segment={segment} /> },
        {
          key: "contacts",
          label: t("segment.contacts"),
          disabled: !readable,
          children: <Contacts segment={segment} />,
        },
        ...(readable
          ? [
              { key: "growth", label: t("growth.title"), children: <Growth segment={segment} /> },
              {
                key: "live",
                label: t("screens.live"),
                // Who does not look at the changes does not follow them.
                destroyOnHidden: true,
                children: <LiveChanges segmentId={segment.segment_id} />,
              },
            ]
          : []),
        {
          key: "explain",
          label: t("segment.explain"),
          disabled: !readable,
          children: <ExplainOne segmentId={segment.segment_id} />,
        },
        // The system keeps built-in segments: nobody saved them.
        ...(segment.definition === null
          ? []
          : [{ key: "versions", label: t("versions.title"), children: <Versions segment={segment} /> }]),
        { key: "sharing", label: t("segment.sharing"), children: <Sharing segment={segment} /> },
      ]}
    />
  );
}
