import { Select } from "antd";
import type { SeenValue } from "../api/vocabulary";

interface Props {
  label: string;
  value: unknown[];
  type: string | null;
  seen: SeenValue[];
  change: (next: unknown[]) => void;
}

/** Several values. Pasted text is split at commas and line ends. A text that looks like a number becomes one only
 * if the field has numbers. */
export function ItemsEditor({ label, value, type, seen, change }: Props) {
  const texts = value.map(String);
  const numbers = type === "number" || (value.length > 0 && value.every((one) => typeof one === "number"));
  const read = (text: string): unknown => {
    const known =
      value.find((one) => String(one) === text) ?? seen.find((one) => String(one.value) === text)?.value;
    if (known !== undefined) return known;
    return numbers && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  };
  return (
    <Select
      className="items"
      mode="tags"
      aria-label={label}
      placeholder={label}
      tokenSeparators={[",", "，", "\n", "\t"]}
      value={texts}
      options={seen.map((one) => ({ value: String(one.value), label: String(one.value) }))}
      onChange={(next: string[]) => change(next.map(read))}
    />
  );
}
