import { Input, InputNumber, Select, Space } from "antd";
import { useTranslation } from "react-i18next";
import { useLabel } from "../api/vocabulary";
import { type DurationUnit, readDuration, writeDuration } from "../definition/durations";
import { type EditorProps, useKnowledge } from "./context";

const UNITS: DurationUnit[] = ["week", "day", "hour", "minute", "second"];

interface Props extends EditorProps<string> {
  label: string;
  /** Whether the duration may lie before now (a minus) or after. */
  signed?: boolean;
}

/** A number and a unit. A duration of several units is shown as it is written. */
export function DurationEditor({ label, value, change, signed = false }: Props) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const name = useLabel();
  const length = readDuration(value);
  if (length === undefined) {
    return (
      <Input
        className="short"
        aria-label={label}
        value={value}
        onChange={(event) => change(event.target.value)}
      />
    );
  }
  const { amount, unit } = length;
  const before = amount < 0 || Object.is(amount, -0);
  const write = (next: Partial<typeof length>) => change(writeDuration({ ...length, ...next }));
  return (
    <Space.Compact>
      <InputNumber
        className="number"
        aria-label={label}
        min={0}
        precision={0}
        value={Math.abs(amount)}
        onChange={(next) => write({ amount: (next ?? 0) * (before ? -1 : 1) })}
      />
      <Select
        aria-label={`${label} ${t("builder.unit")}`}
        value={unit}
        popupMatchSelectWidth={false}
        options={UNITS.map((one) => ({
          value: one,
          label: name(vocabulary.units.find((row) => row.name === one)),
        }))}
        onChange={(next) => write({ unit: next })}
      />
      {signed && (
        <Select
          aria-label={`${label} ${t("builder.direction")}`}
          value={before ? "before" : "after"}
          popupMatchSelectWidth={false}
          options={["before", "after"].map((one) => ({ value: one, label: t(`builder.${one}`) }))}
          onChange={(next) => write({ amount: Math.abs(amount) * (next === "before" ? -1 : 1) })}
        />
      )}
    </Space.Compact>
  );
}
