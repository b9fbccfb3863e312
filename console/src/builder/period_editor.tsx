import { InputNumber, Select, Space } from "antd";
import { useTranslation } from "react-i18next";
import { useLabel } from "../api/vocabulary";
import { withField } from "../definition/changes";
import type { Period } from "../definition/types";
import { type EditorProps, useKnowledge } from "./context";
import { weekday } from "./value_editor";

const UNITS = ["day", "week", "month", "quarter", "year"];
const DAYS = [1, 2, 3, 4, 5, 6, 7];

/** Whole calendar units, counted from the current one, which is 0. */
export function PeriodEditor({ value, change }: EditorProps<Period>) {
  const { t, i18n } = useTranslation();
  const { vocabulary } = useKnowledge();
  const name = useLabel();
  return (
    <Space wrap>
      <Select
        aria-label={t("builder.unit")}
        value={value.unit}
        popupMatchSelectWidth={false}
        options={UNITS.map((unit) => ({
          value: unit,
          label: name(vocabulary.units.find((one) => one.name === unit)),
        }))}
        onChange={(unit) => change(withField({ ...value, unit }, "week_start", undefined))}
      />
      <span>{t("builder.period_from")}</span>
      <InputNumber
        className="number"
        aria-label={t("builder.period_from")}
        precision={0}
        value={value.from}
        onChange={(next) => change({ ...value, from: next ?? 0 })}
      />
      <span>{t("builder.until")}</span>
      <InputNumber
        className="number"
        aria-label={t("builder.to")}
        precision={0}
        value={value.to}
        onChange={(next) => change({ ...value, to: next ?? 0 })}
      />
      <span className="quiet">{t("builder.period_hint")}</span>
      {value.unit === "week" && (
        <Select
          aria-label={t("builder.week_start")}
          value={value.week_start ?? 1}
          options={DAYS.map((day) => ({
            value: day,
            label: t("builder.week_from", { day: weekday(day, i18n.language) }),
          }))}
          onChange={(day) => change({ ...value, week_start: day })}
        />
      )}
    </Space>
  );
}
