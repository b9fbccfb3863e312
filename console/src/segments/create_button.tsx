import { DownOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useMayEdit } from "../api/session";

export function CreateButton() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const mayEdit = useMayEdit();
  if (!mayEdit) return null;
  return (
    <Dropdown
      trigger={["hover", "click"]}
      menu={{
        items: [
          { key: "standard", label: t("segments.create_standard") },
          { key: "advanced", label: t("segments.create_advanced") },
        ],
        onClick: ({ key }) => navigate(`/new/${key}`),
      }}
    >
      <Button type="primary" icon={<DownOutlined />} iconPlacement="end">
        {t("segments.create")}
      </Button>
    </Dropdown>
  );
}
