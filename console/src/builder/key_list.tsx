/** The keys of the builder, in a dialog that "?" opens. */

import { Button, Modal, Tooltip } from "antd";
import { useTranslation } from "react-i18next";

const KEYS = [
  { keys: ["Ctrl", "S"], does: "builder.save" },
  { keys: ["Ctrl", "Enter"], does: "keys.count" },
  { keys: ["Ctrl", "C"], does: "keys.copy" },
  { keys: ["Ctrl", "Z"], does: "keys.undo" },
  { keys: ["Ctrl", "Y"], does: "keys.redo" },
  { keys: ["Tab"], does: "keys.next" },
  { keys: ["Shift", "Tab"], does: "keys.back" },
  { keys: ["Enter"], does: "keys.press" },
  { keys: ["↑", "↓"], does: "keys.choose" },
  { keys: ["Esc"], does: "keys.close" },
  { keys: ["?"], does: "keys.title" },
] as const;

interface Props {
  open: boolean;
  show: (open: boolean) => void;
}

export function KeyList({ open, show }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <Tooltip title={t("keys.title")}>
        <Button aria-label={t("keys.title")} aria-keyshortcuts="?" onClick={() => show(true)}>
          {"?"}
        </Button>
      </Tooltip>
      <Modal open={open} title={t("keys.title")} footer={null} onCancel={() => show(false)}>
        <dl className="facts keys">
          {KEYS.map(({ keys, does }) => (
            <div key={does}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{t(does)}</dd>
            </div>
          ))}
        </dl>
      </Modal>
    </>
  );
}
