import { Button, Result } from "antd";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/request";

/** A question that failed: why, and a way to ask again. */
export function Failure({ error, retry }: { error: Error; retry: () => void }) {
  const { t } = useTranslation();
  const problem = error instanceof Problem ? error : undefined;
  return (
    <Result
      status="warning"
      title={problem?.title ?? t("failure.unreachable")}
      subTitle={error.message}
      extra={<Button onClick={retry}>{t("failure.retry")}</Button>}
    />
  );
}
