/** What can be done with all selected segments at once: for all of them or for none. */

import { App, Button, Select, Space } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useGroups } from "../api/groups";
import type { SegmentRow } from "../api/types";
import { AskDialog } from "../parts/ask_dialog";
import { useSegmentCommands } from "./segment_commands";

interface Props {
  rows: SegmentRow[];
  done: () => void;
}

export function BatchBar({ rows, done }: Props) {
  const { t } = useTranslation();
  const commands = useSegmentCommands();
  const [asked, setAsked] = useState<"move" | "share">();
  if (rows.length === 0) return null;
  const may = (operation: "move" | "share" | "calculate" | "delete") =>
    rows.every((row) => row.operations.includes(operation));
  return (
    <section className="batch" aria-label={t("batch.title")}>
      <strong>{t("batch.selected", { count: rows.length })}</strong>
      <Space>
        <Button size="small" disabled={!may("move")} onClick={() => setAsked("move")}>
          {t("operations.move")}
        </Button>
        <Button size="small" disabled={!may("share")} onClick={() => setAsked("share")}>
          {t("operations.share")}
        </Button>
        <Button
          size="small"
          disabled={!may("calculate")}
          onClick={async () => {
            await commands.calculate(rows);
            done();
          }}
        >
          {t("operations.calculate")}
        </Button>
        <Button size="small" danger disabled={!may("delete")} onClick={() => commands.remove(rows, done)}>
          {t("operations.delete")}
        </Button>
        <Button size="small" type="text" onClick={done}>
          {t("batch.clear")}
        </Button>
      </Space>
      {asked === "move" && <MoveDialog rows={rows} close={() => setAsked(undefined)} done={done} />}
      {asked === "share" && <ShareDialog rows={rows} close={() => setAsked(undefined)} done={done} />}
    </section>
  );
}

interface DialogProps extends Props {
  close: () => void;
}

function MoveDialog({ rows, close, done }: DialogProps) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { batch } = useSegmentCommands();
  const groups = useGroups();
  const [group, setGroup] = useState<string>();
  const places = (groups.data?.groups ?? []).filter((one) => !one.built_in || one.group === "default");
  return (
    <AskDialog
      title={t("batch.move_title", { count: rows.length })}
      ready={group !== undefined}
      cancel={close}
      submit={async () => {
        const segment_ids = rows.map((row) => row.segment_id);
        await batch.mutateAsync({ command: "move", segment_ids, group: group ?? "default" });
        void message.success(t("common.done"));
        close();
        done();
      }}
    >
      <Select
        className="wide"
        autoFocus
        aria-label={t("groups.name")}
        placeholder={t("groups.name")}
        value={group ?? null}
        options={places.map((one) => ({ value: one.group, label: one.label }))}
        onChange={(chosen) => setGroup(chosen ?? undefined)}
      />
    </AskDialog>
  );
}

export function ShareDialog({ rows, close, done }: DialogProps) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { batch } = useSegmentCommands();
  const [accounts, setAccounts] = useState<string[]>([]);
  return (
    <AskDialog
      title={t("batch.share_title", { count: rows.length })}
      ready={accounts.length > 0}
      cancel={close}
      submit={async () => {
        const segment_ids = rows.map((row) => row.segment_id);
        await batch.mutateAsync({ command: "share", segment_ids, accounts });
        void message.success(t("common.done"));
        close();
        done();
      }}
    >
      <Select
        className="wide"
        mode="tags"
        autoFocus
        open={false}
        suffix={null}
        aria-label={t("batch.accounts")}
        placeholder={t("batch.accounts")}
        tokenSeparators={[",", " ", "，"]}
        value={accounts}
        onChange={setAccounts}
      />
      <p className="quiet">{t("batch.share_text")}</p>
    </AskDialog>
  );
}
