/** The list with the columns of the product document, its filters, pages and batch operations. */

import { CrownOutlined } from "@ant-design/icons";
import { Empty, Table } from "antd";
import type { ColumnsType } from "antd/es/table";
import type { SorterResult } from "antd/es/table/interface";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { segmentAddress } from "../addresses";
import { useSegments } from "../api/segments";
import type { SegmentRow } from "../api/types";
import { Instant } from "../language/times";
import { Failure } from "../parts/failure";
import { PageButtons } from "../parts/page_buttons";
import { BatchBar } from "./batch_bar";
import { ColumnChooser } from "./column_chooser";
import { type Column, useColumns } from "./columns";
import { ConditionsDrawer } from "./conditions_drawer";
import { ListFilters } from "./list_filters";
import type { ListState } from "./list_state";
import { RowOperations } from "./row_operations";
import { StatusCell } from "./status_cell";

interface Props {
  state: ListState;
  change: (changed: ListState) => void;
}

const DEFAULT_LIMIT = 20;
const ALWAYS = ["name", "operations"];

function isAnother(row: SegmentRow, before: SegmentRow): boolean {
  return row !== before;
}

export function SegmentTable({ state, change }: Props) {
  const { t, i18n } = useTranslation();
  const [cursors, setCursors] = useState<string[]>([]);
  const [selected, setSelected] = useState<string[]>([]);
  const [viewed, setViewed] = useState<string>();
  const [chosen, chooseColumns] = useColumns();
  const limit = Number(state.limit ?? DEFAULT_LIMIT);
  const sort = state.sort ?? "updated_at";
  const order = state.order ?? (state.sort === undefined ? "desc" : "asc");
  const question = { ...state, sort, order, limit };
  const page = useSegments({ ...question, cursor: cursors.at(-1) });

  // Another question begins at its first page, and the rows that were selected may not be on it.
  const asked = JSON.stringify(question);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the question is the reason to start again
  useEffect(() => {
    setCursors([]);
    setSelected([]);
  }, [asked]);

  if (page.error && !page.data) return <Failure error={page.error} retry={() => page.refetch()} />;

  const sorted = (field: string) => ({
    sorter: true,
    sortOrder: sort === field ? (order === "desc" ? ("descend" as const) : ("ascend" as const)) : null,
  });
  const all: ColumnsType<SegmentRow> = [
    {
      key: "name",
      title: t("segments.name"),
      width: 130,
      ...sorted("name"),
      render: (_, row) => (
        <span className="segment-name">
          {row.type === "advanced" && <CrownOutlined title={row.type_label} />}
          <Link to={segmentAddress(row.segment_id)}>{row.name}</Link>
        </span>
      ),
    },
    {
      key: "type",
      title: t("segments.type"),
      ...sorted("type"),
      width: 90,
      render: (_, row) => row.type_label,
    },
    {
      key: "status",
      title: t("segments.status"),
      ...sorted("status"),
      width: 115,
      render: (_, row) => <StatusCell row={row} />,
    },
    {
      key: "contacts",
      title: t("segments.contacts"),
      ...sorted("contacts"),
      width: 113,
      align: "right",
      render: (_, row) => <span className="numeric">{row.contacts.toLocaleString(i18n.language)}</span>,
    },
    {
      key: "created_by",
      title: t("segments.created_by"),
      ...sorted("created_by"),
      width: 128,
      ellipsis: true,
      render: (_, row) => row.created_by ?? "–",
    },
    {
      key: "created_at",
      title: t("segments.created_at"),
      ...sorted("created_at"),
      width: 150,
      render: (_, row) => <Instant at={row.created_at} />,
    },
    {
      key: "updated_by",
      title: t("segments.updated_by"),
      ...sorted("updated_by"),
      width: 128,
      ellipsis: true,
      render: (_, row) => row.updated_by ?? "–",
    },
    {
      key: "updated_at",
      title: t("segments.updated_at"),
      ...sorted("updated_at"),
      width: 150,
      render: (_, row) => <Instant at={row.updated_at} />,
    },
    { key: "group", title: t("segments.group"), width: 110, ellipsis: true, render: (_, row) => row.group },
    {
      key: "version",
      title: t("segments.version"),
      width: 70,
      align: "right",
      render: (_, row) => row.version,
    },
    {
      key: "shared_with",
      title: t("segments.shared_with"),
      width: 110,
      ellipsis: true,
      render: (_, row) => row.shared_with.join(", ") || "–",
    },
    {
      key: "segment_id",
      title: t("segments.segment_id"),
      width: 130,
      ellipsis: true,
      render: (_, row) => row.segment_id,
    },
    {
      key: "operations",
      title: t("segments.operations"),
      width: 140,
      className: "sticky-column",
      render: (_, row) => <RowOperations row={row} view={() => setViewed(row.segment_id)} />,
    },
  ];
  const columns = all
    .filter(({ key }) => ALWAYS.includes(String(key)) || chosen.includes(key as Column))
    // A row that did not change is the same object: selecting one of 200 rows draws no other cell again.
    .map((column) => ({ ...column, shouldCellUpdate: isAnother }));
  const rows = page.data?.rows ?? [];
  const searched = Boolean(state.q || state.type || state.status || state.created_by || state.group);

  return (
    <section aria-label={t("screens.segments")}>
      <ListFilters state={state} change={change}>
        <ColumnChooser chosen={chosen} choose={chooseColumns} />
      </ListFilters>
      <BatchBar rows={rows.filter((row) => selected.includes(row.segment_id))} done={() => setSelected([])} />
      <div className="wide-table">
        <Table<SegmentRow>
          // In another language every cell is drawn again.
          key={i18n.language}
          size="middle"
          rowKey="segment_id"
          loading={page.isPending}
          columns={columns}
          dataSource={rows}
          pagination={false}
          rowSelection={{
            selectedRowKeys: selected,
            onChange: (keys) => setSelected(keys as string[]),
            getCheckboxProps: (row) => ({ "aria-label": t("segments.select", { name: row.name }) }),
          }}
          locale={{
            emptyText: <Empty description={searched ? t("segments.none_found") : t("segments.none")} />,
          }}
          onChange={(_pages, _filters, sorter) => {
            const { columnKey, order: direction } = sorter as SorterResult<SegmentRow>;
            change({
              sort: direction ? String(columnKey) : undefined,
              order: direction ? (direction === "descend" ? "desc" : "asc") : undefined,
            });
          }}
        />
      </div>
      <PageButtons
        total={page.data?.total}
        number={cursors.length}
        limit={limit}
        chooseLimit={(chosen) => change({ limit: chosen === DEFAULT_LIMIT ? undefined : String(chosen) })}
        back={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : undefined}
        forth={
          page.data?.next_cursor ? () => setCursors([...cursors, page.data?.next_cursor ?? ""]) : undefined
        }
      />
      <ConditionsDrawer segmentId={viewed} close={() => setViewed(undefined)} />
    </section>
  );
}
