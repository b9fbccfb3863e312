/** Commands on segments, with the question before and the message after. */

import { App, Button } from "antd";
import { useTranslation } from "react-i18next";
import { useBatch, useCopySegment } from "../api/segments";
import type { SegmentRow } from "../api/types";
import { useAskUses } from "../api/uses";
import { useUndoDelete } from "../api/versions";
import { DeleteQuestion } from "./delete_question";

/** How long a deletion can be taken back where it was made; afterwards from the recycle bin. */
const UNDO_SECONDS = 10;

export function useSegmentCommands() {
  const { t } = useTranslation();
  const { message, modal } = App.useApp();
  const copied = useCopySegment();
  const batch = useBatch();
  const undo = useUndoDelete();
  const askUses = useAskUses();

  const failed = (error: unknown) =>
    void message.error(error instanceof Error ? error.message : String(error));

  const copy = async (row: SegmentRow) => {
    try {
      const made = await copied.mutateAsync(row.segment_id);
      void message.success(t("segments.copied", { name: made.name }));
    } catch (error) {
      failed(error);
    }
  };

  const calculate = async (rows: SegmentRow[]) => {
    try {
      await batch.mutateAsync({ command: "calculate", segment_ids: rows.map((row) => row.segment_id) });
      void message.success(t("segments.calculating", { count: rows.length }));
    } catch (error) {
      failed(error);
    }
  };

  /** Says that segments are deleted, and offers to take that back. */
  const sayDeleted = (segmentIds: string[]) => {
    const key = `deleted ${segmentIds.join(" ")}`;
    const takeBack = async () => {
      message.destroy(key);
      try {
        await undo.mutateAsync(segmentIds);
        void message.success(t("segments.delete_undone", { count: segmentIds.length }));
      } catch (error) {
        failed(error);
      }
    };
    void message.success({
      key,
      duration: UNDO_SECONDS,
      content: (
        <>
          {t("segments.deleted", { count: segmentIds.length })}
          <Button type="link" size="small" onClick={takeBack}>
            {t("segments.undo_delete")}
          </Button>
        </>
      ),
    });
  };

  const remove = async (rows: SegmentRow[], done?: () => void) => {
    const only = rows.length === 1 ? rows[0] : undefined;
    // Asked before the dialog opens: if its text grew later, its buttons would move under the pointer.
    const asked = await askUses(rows.map((row) => row.segment_id));
    modal.confirm({
      title: only
        ? t("segments.delete_one_title", { name: only.name })
        : t("segments.delete_title", { count: rows.length }),
      content: <DeleteQuestion rows={rows} asked={asked} />,
      okText: t("common.delete"),
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          const segmentIds = rows.map((row) => row.segment_id);
          await batch.mutateAsync({ command: "delete", segment_ids: segmentIds });
          sayDeleted(segmentIds);
          done?.();
        } catch (error) {
          failed(error);
        }
      },
    });
  };

  return { copy, calculate, remove, batch };
}
