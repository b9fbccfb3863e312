import { DownloadOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { allMembers, MOST_MEMBERS, type Which } from "../api/segments";
import { csvOf, type Field, fieldsOf } from "./member_file";

const TITLES = {
  contact_id: "contact.id",
  entered_at: "contact.entered_at",
  next_change_at: "members.until",
  left_at: "members.left_at",
} as const satisfies Record<Field, string>;

interface Props {
  segmentId: string;
  which: Which;
}

/** Makes a CSV file of the contacts that the table lists, on all of its pages. */
export function MemberDownload({ segmentId, which }: Props) {
  const { t, i18n } = useTranslation();
  const { message, modal } = App.useApp();
  const [busy, setBusy] = useState(false);
  const download = async () => {
    setBusy(true);
    try {
      const { members, more } = await allMembers(segmentId, which);
      const fields = fieldsOf(which);
      const titles = fields.map((field) => t(TITLES[field]));
      save(`${segmentId}.csv`, csvOf(fields, titles, members));
      if (more) {
        const shown = MOST_MEMBERS.toLocaleString(i18n.language);
        modal.warning({ title: t("members.more", { shown }) });
      }
    } catch (error) {
      void message.error(String(error instanceof Error ? error.message : error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon={<DownloadOutlined />} loading={busy} onClick={download}>
      {t("members.download")}
    </Button>
  );
}

function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
