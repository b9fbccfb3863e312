import { InputNumber } from "antd";

interface Props {
  label: string;
  placeholder?: string;
  value: number | null;
  change: (next: number | null) => void;
}

/** A number that the browser can represent exactly: a larger one that is typed becomes the largest of them. */
export function NumberInput({ label, placeholder, value, change }: Props) {
  return (
    <InputNumber
      className="number"
      aria-label={label}
      {...(placeholder === undefined ? {} : { placeholder })}
      min={Number.MIN_SAFE_INTEGER}
      max={Number.MAX_SAFE_INTEGER}
      value={value}
      onChange={change}
    />
  );
}
