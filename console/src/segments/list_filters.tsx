import { Input, Select } from "antd";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ListState } from "./list_state";

const PAUSE_MS = 300;
const TYPES = ["standard", "advanced", "static", "built_in"] as const;
const STATUSES = ["not_calculated", "calculating", "completed", "shared"] as const;

interface Props {
  state: ListState;
  change: (changed: ListState) => void;
  /** What stands at the end of the line. */
  children: ReactNode;
}

export function ListFilters({ state, change, children }: Props) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(state.q ?? "");
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed starts the pause
  useEffect(() => {
    if (typed === (state.q ?? "")) return;
    const timer = setTimeout(() => change({ q: typed }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <search className="toolbar">
      <Input.Search
        className="search"
        allowClear
        placeholder={t("segments.search")}
        aria-label={t("segments.search")}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onSearch={(value) => change({ q: value })}
      />
      <Select
        className="filter"
        allowClear
        aria-label={t("segments.filter_type")}
        placeholder={t("segments.filter_type")}
        value={state.type ?? null}
        options={TYPES.map((value) => ({ value, label: t(`types.${value}`) }))}
        onChange={(type) => change({ type: type ?? undefined })}
      />
      <Select
        className="filter"
        allowClear
        aria-label={t("segments.filter_status")}
        placeholder={t("segments.filter_status")}
        value={state.status ?? null}
        options={STATUSES.map((value) => ({ value, label: t(`statuses.${value}`) }))}
        onChange={(status) => change({ status: status ?? undefined })}
      />
      <CreatorFilter creator={state.created_by ?? ""} choose={(created_by) => change({ created_by })} />
      <span className="push" />
      {children}
    </search>
  );
}

function CreatorFilter({ creator, choose }: { creator: string; choose: (creator: string) => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(creator);
  return (
    <Input
      className="filter"
      allowClear
      placeholder={t("segments.created_by")}
      aria-label={t("segments.filter_creator")}
      value={typed}
      onChange={(event) => {
        setTyped(event.target.value);
        if (event.target.value === "") choose("");
      }}
      onPressEnter={() => choose(typed.trim())}
      onBlur={() => typed.trim() !== creator && choose(typed.trim())}
    />
  );
}
