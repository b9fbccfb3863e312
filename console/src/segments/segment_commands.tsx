/** Commands on segments, with the question before and the message after. */

import { App } from "antd";
import { useTranslation } from "react-i18next";
import { useBatch, useCopySegment } from "../api/segments";
import type { SegmentRow } from "../api/types";
import { useAskUses } from "../api/uses";
import { DeleteQuestion } from "./delete_question";

export function useSegmentCommands() {
  const { t } = useTranslation();
  const { message, modal } = App.useApp();
  const copied = useCopySegment();
  const batch = useBatch();
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

  const remove = async (rows: SegmentRow[], done?: () => void) => {
    // Asked before the dialog opens: if its text grew later, its buttons would move under the pointer.
    const asked = await askUses(rows.map((row) => row.segment_id));
    modal.confirm({
      title: t("segments.delete_title", { count: rows.length, name: rows[0]?.name ?? "" }),
      content: <DeleteQuestion rows={rows} asked={asked} />,
      okText: t("common.delete"),
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await batch.mutateAsync({ command: "delete", segment_ids: rows.map((row) => row.segment_id) });
          void message.success(t("segments.deleted", { count: rows.length }));
          done?.();
        } catch (error) {
          failed(error);
        }
      },
    });
  };

  return { copy, calculate, remove, batch };
}
