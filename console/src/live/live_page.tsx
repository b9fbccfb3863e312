/** 实时变化: who enters and leaves which segment, as it happens, and why. */

import { LoginOutlined, LogoutOutlined, PauseOutlined, PlayCircleOutlined } from "@ant-design/icons";
import { Alert, Badge, Button, Empty, Input, Table, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { contactAddress, explainAddress, segmentAddress } from "../addresses";
import { type Change, useChanges } from "../api/changes";
import { useSegmentNames } from "../api/segments";
import { Instant } from "../language/times";
import { SegmentSelect } from "../parts/segment_select";

export function LivePage() {
  const { t } = useTranslation();
  const [address, setAddress] = useSearchParams();
  const [paused, setPaused] = useState(false);
  const segmentId = address.get("segment") ?? "";
  const contactId = address.get("contact") ?? "";
  const { changes, connected, skipped } = useChanges(segmentId, contactId, paused);
  const names = useSegmentNames(changes.map((one) => one.segment_id));
  const filter = (field: "segment" | "contact", value: string) => {
    const next = new URLSearchParams(address);
    if (value === "") next.delete(field);
    else next.set(field, value);
    setAddress(next, { replace: true });
  };
  return (
    <div className="screen">
      <title>{t("screens.live")}</title>
      <div className="screen-head">
        <Typography.Title level={1}>{t("screens.live")}</Typography.Title>
        <Badge
          status={paused ? "default" : connected ? "processing" : "warning"}
          text={t(paused ? "live.paused" : connected ? "live.connected" : "live.connecting")}
        />
        <span className="push" />
        <Button icon={paused ? <PlayCircleOutlined /> : <PauseOutlined />} onClick={() => setPaused(!paused)}>
          {t(paused ? "live.go_on" : "live.pause")}
        </Button>
      </div>
      <search className="toolbar">
        <SegmentSelect
          label={t("live.one_segment")}
          value={segmentId || undefined}
          choose={(chosen) => filter("segment", chosen)}
        />
        <Input.Search
          key={contactId}
          className="search"
          allowClear
          aria-label={t("contact.id")}
          placeholder={t("contact.id")}
          defaultValue={contactId}
          onSearch={(value) => filter("contact", value.trim())}
        />
        {(segmentId || contactId) && (
          <Button type="link" onClick={() => setAddress({}, { replace: true })}>
            {t("live.all")}
          </Button>
        )}
      </search>
      {skipped && <Alert type="warning" showIcon title={t("live.skipped")} />}
      <Table<Change>
        size="small"
        rowKey="change_id"
        pagination={false}
        dataSource={changes}
        locale={{ emptyText: <Empty description={t("live.none")} /> }}
        columns={[
          {
            key: "at",
            title: t("live.at"),
            width: 180,
            render: (_, one) => <Instant at={one.effective_at} />,
          },
          {
            key: "contact",
            title: t("contact.id"),
            render: (_, one) => <Link to={contactAddress(one.contact_id)}>{one.contact_id}</Link>,
          },
          {
            key: "change",
            title: t("live.change"),
            width: 130,
            render: (_, one) => (
              <span>
                {one.change === "entered" ? (
                  <LoginOutlined className="sign holds" aria-hidden />
                ) : (
                  <LogoutOutlined className="sign fails" aria-hidden />
                )}{" "}
                {t(`timeline.${one.change}`)}
              </span>
            ),
          },
          {
            key: "segment",
            title: t("segments.name"),
            render: (_, one) => (
              <Link to={segmentAddress(one.segment_id)}>{names.get(one.segment_id) ?? one.segment_id}</Link>
            ),
          },
          { key: "reason", title: t("live.reason"), render: (_, one) => one.words },
          {
            key: "why",
            title: t("segments.operations"),
            width: 90,
            render: (_, one) => (
              <Link to={explainAddress(one.segment_id, one.contact_id)}>{t("segment.why")}</Link>
            ),
          },
        ]}
      />
    </div>
  );
}
