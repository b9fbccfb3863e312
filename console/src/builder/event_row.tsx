/** 行为事件: whether it happened, how often, how much, or what the first or last one was. */

import { Button, InputNumber, Select, Space } from "antd";
import { useTranslation } from "react-i18next";
import { type Field, useLabel } from "../api/vocabulary";
import { blankWhere } from "../definition/blank";
import { withField, without } from "../definition/changes";
import type { EventCondition } from "../definition/types";
import { AggregateEditor } from "./aggregate_editor";
import { type EditorProps, useKnowledge } from "./context";
import { NameSelect } from "./name_select";
import { useEventOptions } from "./names";
import { type ListPlace, RowFrame } from "./row_frame";
import { useNotOption } from "./test_options";
import { WhereEditor } from "./where_editor";
import { WindowEditor } from "./window_editor";

interface Props extends EditorProps<EventCondition> {
  place: string;
  list: ListPlace;
}

export function EventRow({ value, change, place, list }: Props) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const fields = useProperties(value.event);
  const options = [useNotOption(value, change)];
  return (
    <RowFrame name={t("builder.event")} place={place} entry={value} list={list} options={options}>
      <Space wrap>
        <NameSelect
          label={t("builder.event")}
          value={value.event}
          options={useEventOptions(vocabulary)}
          choose={(event) => change({ ...value, event })}
        />
        <Judgement value={value} change={change} />
        <WindowEditor value={value.window} change={(window) => change(withField(value, "window", window))} />
      </Space>
      {value.aggregate && (
        <AggregateEditor
          place={`${place}.aggregate`}
          value={value.aggregate}
          fields={fields}
          change={(aggregate) => change({ ...value, aggregate })}
        />
      )}
      {value.where ? (
        <WhereEditor
          title={t("builder.where")}
          place={`${place}.where`}
          value={value.where}
          fields={fields}
          change={(where) => change({ ...value, where })}
          empty={() => change(without(value, "where"))}
        />
      ) : (
        <Button type="link" size="small" onClick={() => change({ ...value, where: blankWhere() })}>
          {t("builder.add_where")}
        </Button>
      )}
      {value.has && (
        <WhereEditor
          title={t("builder.has")}
          place={`${place}.has`}
          value={value.has}
          fields={fields}
          change={(has) => change({ ...value, has })}
          empty={() => change(without(value, "has"))}
        />
      )}
      {value.select && value.select !== "any" && !value.has && (
        <Button type="link" size="small" onClick={() => change({ ...value, has: blankWhere() })}>
          {t("builder.add_has")}
        </Button>
      )}
    </RowFrame>
  );
}

export function useProperties(event: string): Field[] {
  const { vocabulary } = useKnowledge();
  return vocabulary.events.find((one) => one.name === event)?.properties ?? [];
}

type Form = "happened" | "count" | "aggregate" | "first" | "last";

function formOf(value: EventCondition): Form {
  if (value.count) return "count";
  if (value.aggregate) return "aggregate";
  return value.select === "first" || value.select === "last" ? value.select : "happened";
}

function withForm(value: EventCondition, form: Form): EventCondition {
  const rest: EventCondition = without(value, "count", "aggregate", "select", "has");
  if (form === "count") return { ...rest, count: { operator: "ge", value: 1 } };
  if (form === "aggregate") {
    return { ...rest, aggregate: { function: "sum", property: "", operator: "gt", value: 0 } };
  }
  if (form === "happened") return rest;
  // What the first one must be like is asked of the last one, too.
  return { ...rest, select: form, ...(value.has ? { has: value.has } : {}) };
}

const FORMS: Form[] = ["happened", "count", "aggregate", "first", "last"];

function Judgement({ value, change }: EditorProps<EventCondition>) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const name = useLabel();
  const { count } = value;
  const comparisons = vocabulary.count_operators.filter((one) => one.operand === "number");
  return (
    <Space wrap>
      <Select
        aria-label={t("builder.judgement")}
        value={formOf(value)}
        popupMatchSelectWidth={false}
        options={FORMS.map((form) => ({ value: form, label: t(`forms.${form}`) }))}
        onChange={(form) => change(withForm(value, form))}
      />
      {count && (
        <>
          <Select
            aria-label={t("builder.operator")}
            value={count.operator}
            popupMatchSelectWidth={false}
            options={comparisons.map((one) => ({ value: one.name, label: name(one) }))}
            onChange={(operator) => change({ ...value, count: { ...count, operator } })}
          />
          <InputNumber
            className="number"
            aria-label={t("forms.count")}
            min={0}
            precision={0}
            value={count.value}
            onChange={(next) => change({ ...value, count: { ...count, value: next ?? 0 } })}
          />
          <span>{t("builder.times")}</span>
        </>
      )}
    </Space>
  );
}
