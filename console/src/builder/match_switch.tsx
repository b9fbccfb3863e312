import { Segmented } from "antd";
import { useTranslation } from "react-i18next";
import type { Match } from "../definition/types";

interface Props {
  value: Match;
  change: (next: Match) => void;
  label: string;
}

/** 且 or 或, shown once there is something to join. */
export function MatchSwitch({ value, change, label }: Props) {
  const { t } = useTranslation();
  return (
    <Segmented<Match>
      size="small"
      aria-label={label}
      value={value}
      onChange={change}
      options={[
        { value: "all", label: t("match.and") },
        { value: "any", label: t("match.or") },
      ]}
    />
  );
}
