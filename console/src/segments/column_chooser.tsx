import { SettingOutlined } from "@ant-design/icons";
import { Button, Checkbox, Popover } from "antd";
import { useTranslation } from "react-i18next";
import { COLUMNS, type Column } from "./columns";

interface Props {
  chosen: readonly Column[];
  choose: (chosen: readonly Column[]) => void;
}

export function ColumnChooser({ chosen, choose }: Props) {
  const { t } = useTranslation();
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      // Beside its button it belongs to the same landmark.
      getPopupContainer={(button) => button.parentElement ?? document.body}
      content={
        <Checkbox.Group
          className="column-choices"
          aria-label={t("segments.columns")}
          value={[...chosen]}
          options={COLUMNS.map((column) => ({ value: column, label: t(`segments.${column}`) }))}
          onChange={(values) => choose(values as Column[])}
        />
      }
    >
      <Button icon={<SettingOutlined />}>{t("segments.columns")}</Button>
    </Popover>
  );
}
