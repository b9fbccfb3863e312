/** The settings in force. Settings with secrets show only whether they are set. */

import { WarningOutlined } from "@ant-design/icons";
import { Alert, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Worker } from "../api/workers";
import { SearchInput } from "../parts/search_input";
import { disagrees, type SettingRow, settingsOf } from "./facts";

export function SettingTable({ workers }: { workers: Worker[] }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const rows = settingsOf(workers);
  const different = rows.filter(disagrees);
  const wanted = typed.trim().toLowerCase();
  return (
    <>
      {different.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("health.different", { names: different.map((one) => one.name).join(", ") })}
        />
      )}
      <div className="toolbar">
        <SearchInput label={t("health.find_setting")} value={typed} change={setTyped} />
      </div>
      <Table<SettingRow>
        className="scrolled"
        size="small"
        rowKey="name"
        pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
        dataSource={rows.filter((one) => one.name.includes(wanted))}
        columns={[
          {
            key: "name",
            title: t("health.setting"),
            render: (_, one) => <code>{`STREAMSEG_${one.name.toUpperCase()}`}</code>,
          },
          { key: "value", title: t("builder.value"), render: (_, one) => <Values row={one} /> },
        ]}
      />
    </>
  );
}

function Values({ row }: { row: SettingRow }) {
  const [first] = row.values;
  if (row.values.length === 1 && first) return <code>{first.text}</code>;
  return (
    <ul className="counts">
      {row.values.map(({ text, workers }) => (
        <li key={text}>
          {disagrees(row) && <WarningOutlined aria-hidden />} <code>{text}</code>{" "}
          <span className="quiet">{workers.join(", ")}</span>
        </li>
      ))}
    </ul>
  );
}
