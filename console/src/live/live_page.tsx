/** 实时变化: who enters and leaves which segment, as it happens, and why. */

import { Button, Input, Select, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useChanges } from "../api/changes";
import { SegmentSelect } from "../parts/segment_select";
import { ChangeList } from "./change_list";
import { Following } from "./following";

const CHANGES = ["entered", "exited"] as const;

export function LivePage() {
  const { t } = useTranslation();
  const [address, setAddress] = useSearchParams();
  const [paused, setPaused] = useState(false);
  const segmentId = address.get("segment") ?? "";
  const contactId = address.get("contact") ?? "";
  const change = address.get("change") ?? "";
  const { changes, connected, skipped } = useChanges(
    { segment: segmentId, contact: contactId, change },
    paused,
  );
  const filter = (field: "segment" | "contact" | "change", value: string) => {
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
        <Following connected={connected} paused={paused} pause={setPaused} />
      </div>
      <search className="toolbar">
        <SegmentSelect
          label={t("live.all_segments")}
          value={segmentId || undefined}
          choose={(chosen) => filter("segment", chosen)}
        />
        <Select
          aria-label={t("live.change")}
          placeholder={t("live.change")}
          popupMatchSelectWidth={false}
          allowClear
          value={change || null}
          options={CHANGES.map((value) => ({ value, label: t(`timeline.${value}`) }))}
          onChange={(chosen) => filter("change", chosen ?? "")}
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
        {(segmentId || contactId || change) && (
          <Button type="link" onClick={() => setAddress({}, { replace: true })}>
            {t("live.all")}
          </Button>
        )}
      </search>
      <ChangeList changes={changes} skipped={skipped} />
    </div>
  );
}
