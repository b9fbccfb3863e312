import { Input } from "antd";

interface Props {
  /** What is searched, shown as long as nothing is typed. */
  label: string;
  value: string;
  change: (text: string) => void;
}

/** A field whose text limits what stands in the table below it. */
export function SearchInput({ label, value, change }: Props) {
  return (
    <Input
      className="search"
      allowClear
      aria-label={label}
      placeholder={label}
      value={value}
      onChange={(event) => change(event.target.value)}
    />
  );
}
