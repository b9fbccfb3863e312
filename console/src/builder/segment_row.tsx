import { Select } from "antd";
import { useTranslation } from "react-i18next";
import type { SegmentCondition } from "../definition/types";
import { SegmentSelect } from "../parts/segment_select";
import { type EditorProps, useKnowledge } from "./context";
import { type ListPlace, RowFrame } from "./row_frame";
import { useNotOption } from "./test_options";

interface Props extends EditorProps<SegmentCondition> {
  place: string;
  list: ListPlace;
}

/** 属于分群: membership of another segment. */
export function SegmentRow({ value, change, place, list }: Props) {
  const { t } = useTranslation();
  const { segmentId } = useKnowledge();
  return (
    <RowFrame
      name={t("builder.segment")}
      place={place}
      entry={value}
      list={list}
      options={[useNotOption(value, change)]}
    >
      <Select
        aria-label={t("builder.membership")}
        value={value.member ?? true}
        popupMatchSelectWidth={false}
        options={[true, false].map((one) => ({ value: one, label: t(`membership.${one}`) }))}
        onChange={(member) => change({ ...value, member })}
      />
      <SegmentSelect
        label={t("builder.segment")}
        value={value.segment === "" ? undefined : value.segment}
        without={segmentId}
        choose={(segment) => change({ ...value, segment })}
      />
    </RowFrame>
  );
}
