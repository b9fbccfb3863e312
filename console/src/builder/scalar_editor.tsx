/** One value that is text, a number, yes or no, or a list. The type is chosen unless the field has only one. */

import { AutoComplete, Select, Space } from "antd";
import { useTranslation } from "react-i18next";
import type { SeenValue } from "../api/vocabulary";
import { ItemsEditor } from "./items_editor";
import { NumberInput } from "./number_input";

interface Props {
  label: string;
  value: unknown;
  type: string | null;
  seen: SeenValue[];
  change: (next: unknown) => void;
}

const BLANK: Record<string, unknown> = { string: "", number: 0, boolean: true, list: [] };
const TYPES = Object.keys(BLANK);

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "list";
  return typeof value === "number" || typeof value === "boolean" ? typeof value : "string";
}

export function ScalarEditor({ label, value, type, seen, change }: Props) {
  const { t } = useTranslation();
  const current = typeOf(value);
  const choices =
    type === null || type === "object" ? TYPES : type === "string_or_number" ? ["string", "number"] : [type];
  return (
    <Space.Compact>
      {(choices.length > 1 || !choices.includes(current)) && (
        <Select
          aria-label={`${label} ${t("builder.value_type")}`}
          value={current}
          popupMatchSelectWidth={false}
          options={[...new Set([...choices, current])].map((one) => ({
            value: one,
            label: t(`value_types.${one}`),
          }))}
          onChange={(next) => change(BLANK[next])}
        />
      )}
      {current === "string" && (
        <AutoComplete
          className="value"
          aria-label={label}
          placeholder={label}
          value={typeof value === "string" ? value : ""}
          options={seen
            .filter((one) => typeof one.value === "string")
            .map((one) => ({ value: String(one.value), label: String(one.value) }))}
          showSearch={{ filterOption: (text, option) => String(option?.value ?? "").includes(text) }}
          onChange={(next) => change(next ?? "")}
        />
      )}
      {current === "number" && (
        <NumberInput label={label} value={value as number} change={(next) => change(next ?? 0)} />
      )}
      {current === "boolean" && (
        <Select
          aria-label={label}
          value={value === true}
          options={[true, false].map((one) => ({ value: one, label: t(`booleans.${one}`) }))}
          onChange={change}
        />
      )}
      {current === "list" && (
        <ItemsEditor label={label} value={value as unknown[]} type={type} seen={seen} change={change} />
      )}
    </Space.Compact>
  );
}
