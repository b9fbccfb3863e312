/** The operations of a row: contacts, conditions, edit, copy, delete. */

import { CopyOutlined, DeleteOutlined, EditOutlined, EyeOutlined, SearchOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { editAddress, segmentAddress } from "../addresses";
import { useAskWords } from "../api/segments";
import type { Operation, SegmentRow } from "../api/types";
import { useSegmentCommands } from "./segment_commands";

interface Entry {
  operation: Operation;
  label: string;
  icon: ReactNode;
  act: () => void;
}

export function RowOperations({ row, view }: { row: SegmentRow; view: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const commands = useSegmentCommands();
  const askWords = useAskWords();
  const [words, setWords] = useState<string>();
  const findWords = () => askWords(row.segment_id).then(setWords, () => setWords(undefined));
  const entries: Entry[] = [
    {
      operation: "view_contacts",
      label: t("operations.view_contacts"),
      icon: <EyeOutlined />,
      act: () => navigate(segmentAddress(row.segment_id, "contacts")),
    },
    {
      operation: "view_conditions",
      label: t("operations.view_conditions"),
      icon: <SearchOutlined />,
      act: view,
    },
    {
      operation: "edit",
      label: t("operations.edit"),
      icon: <EditOutlined />,
      act: () => navigate(editAddress(row.segment_id)),
    },
    {
      operation: "copy",
      label: t("operations.copy"),
      icon: <CopyOutlined />,
      act: () => commands.copy(row),
    },
    {
      operation: "delete",
      label: t("operations.delete"),
      icon: <DeleteOutlined />,
      act: () => commands.remove([row]),
    },
  ];
  return (
    <span className="operations">
      {entries.map(({ operation, label, icon, act }) => {
        const why = refusal(row, operation);
        return (
          // The browser's own tip: a thousand tips of the library take longer to draw than 200 rows.
          <Button
            key={operation}
            type="text"
            size="small"
            icon={icon}
            title={why ? `${label}: ${t(why)}` : operation === "view_conditions" ? (words ?? label) : label}
            aria-label={`${label} ${row.name}`}
            disabled={why !== undefined}
            onClick={act}
            onPointerEnter={operation === "view_conditions" ? findWords : undefined}
          />
        );
      })}
    </span>
  );
}

/** Returns why an operation is not possible, as a key of a text. */
function refusal(row: SegmentRow, operation: Operation): string | undefined {
  // A shared segment of another account has no status of its own here, but may be opened.
  if (operation === "view_contacts" && row.status === "not_calculated") return "operations.not_calculated";
  if (!row.operations.includes(operation)) return "operations.not_yours";
  if (operation === "edit" && row.type === "static") return "operations.static";
  return undefined;
}
