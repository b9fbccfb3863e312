/** The operand of a test, by the shape that its operator takes. */

import { Input, Select, Space } from "antd";
import { useTranslation } from "react-i18next";
import { type Operand, type SeenValue, useLabel } from "../api/vocabulary";
import type { Period } from "../definition/types";
import { useKnowledge } from "./context";
import { DurationEditor } from "./duration_editor";
import { ItemsEditor } from "./items_editor";
import { NumberInput } from "./number_input";
import { PeriodEditor } from "./period_editor";
import { ScalarEditor } from "./scalar_editor";
import { TimeEditor } from "./time_editor";

interface Props {
  operand: Operand;
  value: unknown;
  /** The type of the field's values; null if it is not known. */
  type: string | null;
  seen: SeenValue[];
  change: (next: unknown) => void;
}

export function ValueEditor({ operand, value, type, seen, change }: Props) {
  const { t } = useTranslation();
  const label = t("builder.value");
  switch (operand) {
    case "text":
    case "pattern":
      return (
        <Input
          className="value"
          aria-label={label}
          placeholder={label}
          value={String(value ?? "")}
          onChange={(event) => change(event.target.value)}
        />
      );
    case "number":
      return <NumberInput label={label} value={value as number} change={(next) => change(next ?? 0)} />;
    case "scalar_or_list":
      return <ScalarEditor label={label} value={value} type={type} seen={seen} change={change} />;
    case "list":
      return (
        <ItemsEditor
          label={label}
          value={(value as unknown[]) ?? []}
          type={type}
          seen={seen}
          change={change}
        />
      );
    case "time":
      return <TimeEditor label={label} value={value as string} change={change} />;
    case "duration":
      return <DurationEditor label={label} value={String(value)} change={change} />;
    case "number_range":
    case "range":
    case "age_range":
      return <RangeEditor value={value as Bounds} change={change} type={type} />;
    case "offset_range":
      return <OffsetsEditor value={value as [string, string]} change={change} />;
    case "period":
      return <PeriodEditor value={value as Period} change={change} />;
    case "calendar":
      return <CalendarEditor value={value as { unit: string; values: number[] }} change={change} />;
    case "anniversary":
      return (
        <DurationEditor
          label={label}
          value={(value as { in_next: string }).in_next}
          change={(in_next) => change({ ...(value as object), in_next })}
        />
      );
  }
}

type Bounds = [string | number | null, string | number | null];

function RangeEditor({
  value,
  change,
  type,
}: {
  value: Bounds;
  change: (next: Bounds) => void;
  type: string | null;
}) {
  const { t } = useTranslation();
  const [from, to] = value;
  const times = type === "time" || [from, to].some((bound) => typeof bound === "string");
  const labels = [t("builder.from"), t("builder.to")] as const;
  if (times) {
    return (
      <Space wrap>
        <TimeEditor label={labels[0]} value={from} open change={(next) => change([next, to])} />
        <span>{t("builder.until")}</span>
        <TimeEditor label={labels[1]} value={to} open change={(next) => change([from, next])} />
      </Space>
    );
  }
  return (
    <Space>
      <NumberInput
        label={labels[0]}
        placeholder={t("builder.no_bound")}
        value={from as number | null}
        change={(next) => change([next, to])}
      />
      <span>{t("builder.until")}</span>
      <NumberInput
        label={labels[1]}
        placeholder={t("builder.no_bound")}
        value={to as number | null}
        change={(next) => change([from, next])}
      />
    </Space>
  );
}

function OffsetsEditor({
  value,
  change,
}: {
  value: [string, string];
  change: (next: [string, string]) => void;
}) {
  const { t } = useTranslation();
  return (
    <Space wrap>
      <DurationEditor
        label={t("builder.from")}
        signed
        value={value[0]}
        change={(next) => change([next, value[1]])}
      />
      <span>{t("builder.until")}</span>
      <DurationEditor
        label={t("builder.to")}
        signed
        value={value[1]}
        change={(next) => change([value[0], next])}
      />
    </Space>
  );
}

function CalendarEditor({
  value,
  change,
}: {
  value: { unit: string; values: number[] };
  change: (next: { unit: string; values: number[] }) => void;
}) {
  const { t, i18n } = useTranslation();
  const { vocabulary } = useKnowledge();
  const name = useLabel();
  const part = vocabulary.calendar_parts.find((one) => one.name === value.unit);
  const numbers = part
    ? Array.from({ length: part.high - part.low + 1 }, (_, index) => part.low + index)
    : [];
  return (
    <Space.Compact>
      <Select
        aria-label={t("builder.unit")}
        value={value.unit}
        popupMatchSelectWidth={false}
        options={vocabulary.calendar_parts.map((one) => ({ value: one.name, label: name(one) }))}
        onChange={(unit) => {
          const low = vocabulary.calendar_parts.find((one) => one.name === unit)?.low ?? 1;
          change({ ...value, unit, values: [low] });
        }}
      />
      <Select
        className="items"
        mode="multiple"
        aria-label={t("builder.value")}
        value={value.values}
        options={numbers.map((number) => ({
          value: number,
          label: value.unit === "weekday" ? weekday(number, i18n.language) : String(number),
        }))}
        onChange={(values) => change({ ...value, values })}
      />
    </Space.Compact>
  );
}

/** Returns the name of a weekday; 1 is Monday. */
export function weekday(number: number, language: string): string {
  const monday = Date.UTC(2024, 0, 1);
  const format = new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" });
  return format.format(new Date(monday + (number - 1) * 86_400_000));
}
