/** Copies the definition for a shell and for the command line. */

import { CopyOutlined } from "@ant-design/icons";
import { Space, Typography } from "antd";
import { useTranslation } from "react-i18next";
import { API } from "../api/request";
import { savingOf } from "../api/segments";
import { useSession } from "../api/session";
import { isIncomplete } from "../definition/blank";
import { curlText, yamlText } from "../definition/texts";
import type { Definition } from "../definition/types";

interface Props {
  definition: Definition;
  /** The version that is edited; undefined for a new segment. */
  version: number | undefined;
}

export function CopiedTexts({ definition, version }: Props) {
  const { t } = useTranslation();
  const session = useSession();
  if (definition.name.trim() === "" || isIncomplete(definition)) {
    return <span className="quiet">{t("builder.copy_later")}</span>;
  }
  const { path, ...saving } = savingOf(definition, version);
  const address = `${window.location.origin}${API}${path}`;
  const curl = () => curlText({ ...saving, address }, session.data?.signed_in !== "machine");
  return (
    <Space wrap>
      <Copy label={t("builder.copy_curl")} text={curl} />
      <Copy label={t("builder.copy_file")} text={() => yamlText(definition)} />
    </Space>
  );
}

function Copy({ label, text }: { label: string; text: () => string }) {
  const { t } = useTranslation();
  const icon = (
    <>
      <CopyOutlined aria-hidden /> {label}
    </>
  );
  return <Typography.Text copyable={{ text, icon: [icon, t("common.copied")], tooltips: [label, label] }} />;
}
