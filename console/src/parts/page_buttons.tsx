import { LeftOutlined, RightOutlined } from "@ant-design/icons";
import { Button, Select, Space } from "antd";
import { useTranslation } from "react-i18next";

interface Props {
  total?: number | undefined;
  /** The pages before this one. */
  number: number;
  limit?: number;
  chooseLimit?: (limit: number) => void;
  back: (() => void) | undefined;
  forth: (() => void) | undefined;
}

const LIMITS = [20, 50, 100, 200];

/** The way between pages that follow each other by a cursor. */
export function PageButtons({ total, number, limit, chooseLimit, back, forth }: Props) {
  const { t } = useTranslation();
  return (
    <nav className="pages" aria-label={t("pages.title")}>
      {total !== undefined && <span className="numeric">{t("pages.total", { count: total })}</span>}
      {chooseLimit && (
        <Select
          value={limit ?? null}
          aria-label={t("pages.size")}
          options={LIMITS.map((value) => ({ value, label: t("pages.rows", { count: value }) }))}
          onChange={(value) => value && chooseLimit(value)}
        />
      )}
      <Space>
        <Button icon={<LeftOutlined />} disabled={!back} onClick={back} aria-label={t("pages.back")} />
        <span className="numeric">{number + 1}</span>
        <Button icon={<RightOutlined />} disabled={!forth} onClick={forth} aria-label={t("pages.forth")} />
      </Space>
    </nav>
  );
}
