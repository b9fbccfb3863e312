/** Chooses an attribute, event or property by its label. Any other name may be typed. */

import { Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

export interface NameOption {
  value: string;
  label: string;
  group: string;
}

interface Props {
  label: string;
  value: string;
  options: NameOption[];
  choose: (name: string) => void;
}

export function NameSelect({ label, value, options, choose }: Props) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const known = options.some((option) => option.value === value);
  const wanted = typed.trim();
  const groups = [...new Set(options.map((option) => option.group))];
  const free =
    wanted !== "" && !options.some((option) => option.value === wanted)
      ? [{ value: wanted, label: t("builder.use_name", { name: wanted }) }]
      : [];
  return (
    <Select
      className="name-select"
      aria-label={label}
      placeholder={label}
      value={value === "" ? null : value}
      popupMatchSelectWidth={false}
      showSearch={{
        onSearch: setTyped,
        filterOption: (text, option) => {
          const { value: name = "", label: shown = "" } = option as { value?: string; label?: string };
          return name === wanted || `${name} ${shown}`.toLowerCase().includes(text.trim().toLowerCase());
        },
      }}
      options={[
        ...groups.map((group) => ({
          label: group,
          title: group,
          options: options
            .filter((option) => option.group === group)
            .map(({ value: name, label: text }) => ({ value: name, label: text })),
        })),
        ...free,
        ...(known || value === "" || value === wanted ? [] : [{ value, label: value }]),
      ]}
      onChange={(name) => {
        setTyped("");
        if (name) choose(name);
      }}
    />
  );
}
