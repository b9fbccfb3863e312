import { Button, Input, Space } from "antd";
import { useTranslation } from "react-i18next";

const DATE = /^\d{4}-\d{2}-\d{2}$/;

interface Props {
  label: string;
  value: string | number | null;
  change: (next: string | number | null) => void;
  /** Whether the bound may be missing. */
  open?: boolean;
}

/** A day, or a time as it is written: with or without an offset. */
export function TimeEditor({ label, value, change, open = false }: Props) {
  const { t } = useTranslation();
  const text = value === null ? "" : String(value);
  const isDay = text === "" || DATE.test(text);
  const write = (next: string) => change(next === "" && open ? null : next);
  return (
    <Space.Compact>
      <Input
        className={isDay ? "day" : "time"}
        type={isDay ? "date" : "text"}
        aria-label={label}
        value={text}
        onChange={(event) => write(event.target.value)}
      />
      {text !== "" && (
        <Button onClick={() => write(isDay ? `${text}T00:00:00` : text.slice(0, 10))}>
          {isDay ? t("builder.with_time") : t("builder.day_only")}
        </Button>
      )}
      {text !== "" && open && <Button onClick={() => change(null)}>{t("builder.no_bound")}</Button>}
    </Space.Compact>
  );
}
