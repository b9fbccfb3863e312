import { DeleteOutlined } from "@ant-design/icons";
import { Form, Select, Tag } from "antd";
import { useTranslation } from "react-i18next";
import { useGroups } from "../api/groups";
import { withField } from "../definition/changes";
import type { Definition } from "../definition/types";
import { type EditorProps, useKnowledge } from "./context";
import { PlaceProblem } from "./place_problem";

const ZONES = Intl.supportedValuesOf("timeZone");

/** Says that a segment has a time zone of its own, and takes it away. */
export function TimezoneChip({ value, change }: EditorProps<Definition>) {
  const { t } = useTranslation();
  if (value.timezone === undefined) return null;
  const label = t("builder.own_timezone", { zone: value.timezone });
  return (
    <Tag
      className="timezone-chip"
      color="blue"
      closable
      closeIcon={<DeleteOutlined aria-label={t("builder.remove_option", { option: label })} />}
      onClose={(event) => {
        event.preventDefault();
        change(withField(value, "timezone", undefined));
      }}
    >
      {label}
    </Tag>
  );
}

/** The group and the time zone of a segment. */
export function SegmentSettings({ value, change }: EditorProps<Definition>) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const groups = useGroups();
  const places = (groups.data?.groups ?? []).filter((one) => !one.built_in || one.group === "default");
  return (
    <Form layout="vertical" className="narrow">
      <Form.Item label={t("groups.name")} htmlFor="segment-group">
        <Select
          id="segment-group"
          value={value.group ?? "default"}
          options={places.map((one) => ({ value: one.group, label: one.label }))}
          onChange={(group) => change({ ...value, group })}
        />
        <PlaceProblem place="group" />
      </Form.Item>
      <Form.Item label={t("segment.timezone")} htmlFor="segment-timezone">
        <Select
          id="segment-timezone"
          showSearch
          allowClear
          placeholder={t("builder.default_timezone", { zone: vocabulary.timezone })}
          value={value.timezone ?? null}
          options={ZONES.map((zone) => ({ value: zone, label: zone }))}
          onChange={(zone) => change(withField(value, "timezone", zone ?? undefined))}
        />
        <PlaceProblem place="timezone" />
      </Form.Item>
    </Form>
  );
}
