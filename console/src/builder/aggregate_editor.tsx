import { Button, Checkbox, Input, Select, Space } from "antd";
import { useTranslation } from "react-i18next";
import { type Field, useLabel } from "../api/vocabulary";
import { blankWhere } from "../definition/blank";
import { withField, without } from "../definition/changes";
import type { Aggregate } from "../definition/types";
import { type EditorProps, useKnowledge } from "./context";
import { NameSelect } from "./name_select";
import { useFieldOptions } from "./names";
import { ValueEditor } from "./value_editor";
import { WhereEditor } from "./where_editor";

interface Props extends EditorProps<Aggregate> {
  place: string;
  fields: Field[];
}

/** A figure over a property of the occurrences, or of the elements of a list in them. */
export function AggregateEditor({ value, change, place, fields }: Props) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const name = useLabel();
  const names = useFieldOptions(fields);
  const operator = vocabulary.count_operators.find((one) => one.name === value.operator);
  const chooseOperator = (next: string) => {
    const operand = vocabulary.count_operators.find((one) => one.name === next)?.operand;
    const kept = operand === operator?.operand ? value.value : operand === "number" ? 0 : [0, 100];
    change({ ...value, operator: next, value: kept });
  };
  return (
    <div className="aggregate">
      <Space wrap>
        <NameSelect
          label={t("builder.property")}
          value={value.property}
          options={names}
          choose={(property) => change({ ...value, property })}
        />
        <Select
          aria-label={t("builder.function")}
          value={value.function}
          popupMatchSelectWidth={false}
          options={vocabulary.functions.map((one) => ({ value: one.name, label: name(one) }))}
          onChange={(next) => change({ ...value, function: next as Aggregate["function"] })}
        />
        <Select
          aria-label={t("builder.operator")}
          value={value.operator}
          popupMatchSelectWidth={false}
          options={vocabulary.count_operators.map((one) => ({ value: one.name, label: name(one) }))}
          onChange={chooseOperator}
        />
        <ValueEditor
          operand={operator?.operand ?? "number"}
          value={value.value}
          type="number"
          seen={[]}
          change={(next) => change({ ...value, value: next })}
        />
        <Checkbox
          checked={value.as === "number"}
          onChange={(event) => change(withField(value, "as", event.target.checked ? "number" : undefined))}
        >
          {t("options.as")}
        </Checkbox>
        {value.elements === undefined ? (
          <Button type="link" size="small" onClick={() => change({ ...value, elements: "" })}>
            {t("builder.of_elements")}
          </Button>
        ) : (
          <Input
            className="value"
            aria-label={t("builder.list_name")}
            placeholder={t("builder.list_name")}
            allowClear
            value={value.elements}
            onChange={(event) =>
              change(
                event.target.value === ""
                  ? without(value, "elements", "where")
                  : { ...value, elements: event.target.value },
              )
            }
          />
        )}
        {value.elements !== undefined && !value.where && (
          <Button type="link" size="small" onClick={() => change({ ...value, where: blankWhere() })}>
            {t("builder.add_element_where")}
          </Button>
        )}
      </Space>
      {value.where && (
        <WhereEditor
          title={t("builder.each_element")}
          place={`${place}.where`}
          value={value.where}
          fields={[]}
          change={(where) => change({ ...value, where })}
          empty={() => change(without(value, "where"))}
        />
      )}
    </div>
  );
}
