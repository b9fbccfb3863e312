import { Input, InputNumber } from "antd";
import { useTranslation } from "react-i18next";
import { withField } from "../definition/changes";
import type { SampleCondition } from "../definition/types";
import type { EditorProps } from "./context";
import { type ListPlace, RowFrame } from "./row_frame";
import { useNotOption } from "./test_options";

interface Props extends EditorProps<SampleCondition> {
  place: string;
  list: ListPlace;
}

const LEAST_PERCENT = 0.0001;

/** 固定抽样: a share of all contacts, always the same ones. */
export function SampleRow({ value, change, place, list }: Props) {
  const { t } = useTranslation();
  const percent = Number((value.sample * 100).toPrecision(12));
  return (
    <RowFrame
      name={t("builder.sample")}
      place={place}
      entry={value}
      list={list}
      options={[useNotOption(value, change)]}
    >
      <span>{t("builder.sample_of")}</span>
      <InputNumber
        className="number"
        aria-label={t("builder.sample")}
        min={LEAST_PERCENT}
        max={100}
        suffix="%"
        value={percent}
        onChange={(next) => next && change({ ...value, sample: Number((next / 100).toPrecision(12)) })}
      />
      <Input
        className="value"
        aria-label={t("builder.salt")}
        placeholder={t("builder.salt")}
        value={value.salt ?? ""}
        onChange={(event) => change(withField(value, "salt", event.target.value || undefined))}
      />
    </RowFrame>
  );
}
