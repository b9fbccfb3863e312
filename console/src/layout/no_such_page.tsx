import { Result } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

export function NoSuchPage() {
  const { t } = useTranslation();
  return (
    <Result
      status="404"
      title={t("no_such_page.title")}
      extra={<Link to="/segments">{t("no_such_page.back")}</Link>}
    />
  );
}
