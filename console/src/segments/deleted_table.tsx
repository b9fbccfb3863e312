import { App, Button, Empty, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/request";
import type { DeletedSegment } from "../api/types";
import { useDeletedSegments, useRestore } from "../api/versions";
import { Instant } from "../language/times";
import { Failure } from "../parts/failure";
import { NameDialog } from "../parts/name_dialog";
import { PageButtons } from "../parts/page_buttons";

export function DeletedTable() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [cursors, setCursors] = useState<string[]>([]);
  const [withoutId, setWithoutId] = useState<DeletedSegment>();
  const page = useDeletedSegments(cursors.at(-1));
  const restore = useRestore();
  if (page.error && !page.data) return <Failure error={page.error} retry={() => page.refetch()} />;
  const next = page.data?.next_cursor;

  const restored = (name: string) => void message.success(t("deleted.restored", { name }));
  const begin = async (deleted: DeletedSegment) => {
    try {
      restored((await restore.mutateAsync({ deleted })).name);
    } catch (error) {
      if (error instanceof Problem && error.code === "conflict") setWithoutId(deleted);
      else void message.error(error instanceof Error ? error.message : String(error));
    }
  };

  return (
    <section aria-label={t("deleted.title")}>
      <div className="wide-table">
        <Table<DeletedSegment>
          size="middle"
          rowKey="deletion"
          loading={page.isPending}
          pagination={false}
          dataSource={page.data?.segments ?? []}
          locale={{ emptyText: <Empty description={t("deleted.none")} /> }}
          columns={[
            { key: "name", title: t("segments.name"), render: (_, one) => one.name },
            { key: "id", title: t("segment.id"), render: (_, one) => one.segment_id },
            { key: "type", title: t("segments.type"), render: (_, one) => t(`types.${one.type}`) },
            { key: "deleted_by", title: t("deleted.by"), render: (_, one) => one.deleted_by ?? "–" },
            {
              key: "deleted_at",
              title: t("deleted.at"),
              render: (_, one) => <Instant at={one.deleted_at} />,
            },
            {
              key: "until",
              title: t("deleted.until"),
              render: (_, one) => <Instant at={one.restorable_until} />,
            },
            {
              key: "operations",
              title: t("segments.operations"),
              width: 110,
              className: "sticky-column",
              render: (_, one) => (
                <Button
                  size="small"
                  aria-label={t("deleted.restore_one", { name: one.name })}
                  disabled={restore.isPending}
                  onClick={() => begin(one)}
                >
                  {t("deleted.restore")}
                </Button>
              ),
            },
          ]}
        />
      </div>
      <PageButtons
        number={cursors.length}
        back={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : undefined}
        forth={next ? () => setCursors([...cursors, next]) : undefined}
      />
      {withoutId && (
        <NameDialog
          title={t("deleted.id_in_use", { id: withoutId.segment_id })}
          label={t("deleted.new_id")}
          submit={async (newSegmentId) => {
            restored((await restore.mutateAsync({ deleted: withoutId, newSegmentId })).name);
            setWithoutId(undefined);
          }}
          cancel={() => setWithoutId(undefined)}
        />
      )}
    </section>
  );
}
