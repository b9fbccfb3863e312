/** The time in which occurrences count. */

import { Select, Space } from "antd";
import { useTranslation } from "react-i18next";
import { useLabel } from "../api/vocabulary";
import type { Window } from "../definition/types";
import { useKnowledge } from "./context";
import { DurationEditor } from "./duration_editor";
import { PeriodEditor } from "./period_editor";
import { TimeEditor } from "./time_editor";
import { WindowLine } from "./window_line";

interface Props {
  value: Window | undefined;
  change: (next: Window | undefined) => void;
}

const ALL_TIME = "all";

export function windowForm(window: Window | undefined): string {
  if (window === undefined) return ALL_TIME;
  if ("last" in window) return "last";
  if ("between" in window) return "between";
  return "period" in window ? "period" : "from_to";
}

export function WindowEditor({ value, change }: Props) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const name = useLabel();
  const chooseForm = (form: string) => {
    const example = vocabulary.windows.find((one) => one.form === form)?.example;
    change(form === ALL_TIME ? undefined : (example as Window));
  };
  return (
    <Space wrap>
      <Select
        aria-label={t("builder.window")}
        value={windowForm(value)}
        popupMatchSelectWidth={false}
        options={[
          { value: ALL_TIME, label: t("builder.all_time") },
          ...vocabulary.windows.map((one) => ({
            value: one.form,
            label: name({ name: one.form, label: one.label }),
          })),
        ]}
        onChange={chooseForm}
      />
      {value && <Bounds value={value} change={change} />}
      {value && <WindowLine window={value} />}
    </Space>
  );
}

function Bounds({ value, change }: { value: Window; change: (next: Window) => void }) {
  const { t } = useTranslation();
  if ("last" in value) {
    return (
      <DurationEditor label={t("builder.length")} value={value.last} change={(last) => change({ last })} />
    );
  }
  if ("period" in value) {
    return <PeriodEditor value={value.period} change={(period) => change({ period })} />;
  }
  if ("between" in value) {
    const [from, to] = value.between;
    return (
      <>
        <TimeEditor
          label={t("builder.from")}
          open
          value={from}
          change={(next) => change({ between: [next, to] })}
        />
        <span>{t("builder.until")}</span>
        <TimeEditor
          label={t("builder.to")}
          open
          value={to}
          change={(next) => change({ between: [from, next] })}
        />
      </>
    );
  }
  return (
    <>
      <DurationEditor
        label={t("builder.from")}
        signed
        value={value.from}
        change={(from) => change({ ...value, from })}
      />
      <span>{t("builder.until")}</span>
      <DurationEditor
        label={t("builder.to")}
        signed
        value={value.to}
        change={(to) => change({ ...value, to })}
      />
    </>
  );
}
