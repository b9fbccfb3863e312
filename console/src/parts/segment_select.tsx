import { Select } from "antd";
import { useState } from "react";
import { useSegments } from "../api/segments";

interface Props {
  label: string;
  value: string | undefined;
  choose: (segmentId: string) => void;
  /** A segment that cannot be chosen, because it would refer to itself. */
  without?: string | undefined;
  disabled?: boolean;
}

/** Chooses a segment by its name. */
export function SegmentSelect({ label, value, choose, without, disabled = false }: Props) {
  const [typed, setTyped] = useState("");
  const page = useSegments({ q: typed, limit: 50 });
  const options = (page.data?.rows ?? [])
    .filter((row) => row.segment_id !== without)
    .map((row) => ({ value: row.segment_id, label: row.name }));
  return (
    <Select
      className="segment-select"
      showSearch={{ filterOption: false, onSearch: setTyped }}
      aria-label={label}
      placeholder={label}
      disabled={disabled}
      value={value ?? null}
      options={options}
      onChange={(chosen) => chosen && choose(chosen)}
    />
  );
}
