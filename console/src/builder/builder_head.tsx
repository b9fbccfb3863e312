import { RedoOutlined, UndoOutlined } from "@ant-design/icons";
import { Button, Space, Tag, Tooltip, Typography } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Draft } from "./draft";

interface Props {
  draft: Draft;
  isNew: boolean;
  ready: boolean;
  busy: boolean;
  send: (calculate: boolean) => void;
  cancel: () => void;
  keys: ReactNode;
}

export function BuilderHead({ draft, isNew, ready, busy, send, cancel, keys }: Props) {
  const { t } = useTranslation();
  const { type } = draft.definition;
  return (
    <div className="screen-head">
      <Typography.Title level={1}>
        {isNew ? t(`builder.new_${type}`) : t("builder.edit", { name: draft.definition.name })}
      </Typography.Title>
      {draft.isChanged && <Tag color="warning">{t("builder.unsaved")}</Tag>}
      <span className="push" />
      <Space wrap>
        {keys}
        <Tooltip title={t("builder.undo")}>
          <Button
            icon={<UndoOutlined />}
            aria-label={t("builder.undo")}
            disabled={!draft.canUndo}
            onClick={draft.undo}
          />
        </Tooltip>
        <Tooltip title={t("builder.redo")}>
          <Button
            icon={<RedoOutlined />}
            aria-label={t("builder.redo")}
            disabled={!draft.canRedo}
            onClick={draft.redo}
          />
        </Tooltip>
        <Button disabled={!draft.isChanged} onClick={draft.discard}>
          {t("builder.discard")}
        </Button>
        <Button onClick={cancel}>{t("common.cancel")}</Button>
        {type === "advanced" && (
          <Button disabled={!ready} loading={busy} onClick={() => send(true)}>
            {t("builder.save_and_calculate")}
          </Button>
        )}
        <Button type="primary" disabled={!ready} loading={busy} onClick={() => send(false)}>
          {t("builder.save")}
        </Button>
      </Space>
    </div>
  );
}
