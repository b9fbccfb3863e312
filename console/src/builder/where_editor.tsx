/** Conditions on one occurrence, or on one element of a list; elements can be nested. */

import { PlusOutlined } from "@ant-design/icons";
import { Button, Space } from "antd";
import { useTranslation } from "react-i18next";
import type { Field } from "../api/vocabulary";
import { blankProperty } from "../definition/blank";
import { keyOf } from "../definition/changes";
import { isElements } from "../definition/kinds";
import { withField as withOtherField } from "../definition/operands";
import type { ElementsCondition, OccurrenceCondition, PropertyCondition, Where } from "../definition/types";
import { type EditorProps, useKnowledge } from "./context";
import { insertAt, listPlace, replaceAt } from "./entries";
import { MatchSwitch } from "./match_switch";
import { NameSelect } from "./name_select";
import { useFieldOptions } from "./names";
import { type ListPlace, RowFrame } from "./row_frame";
import { TestEditor } from "./test_editor";
import { useNotOption, useTestOptions } from "./test_options";

interface Props extends EditorProps<Where> {
  place: string;
  title: string;
  fields: Field[];
  /** Called when the last condition is removed. */
  empty: () => void;
}

export function WhereEditor({ value: where, change, place, title, fields, empty }: Props) {
  const { t } = useTranslation();
  const setConditions = (conditions: OccurrenceCondition[]) =>
    conditions.length === 0 ? empty() : change({ ...where, conditions });
  const add = (made: OccurrenceCondition) =>
    setConditions(insertAt(where.conditions, where.conditions.length, made));
  return (
    <fieldset className="where">
      <legend>
        {title}{" "}
        {where.conditions.length > 1 && (
          <MatchSwitch label={title} value={where.match} change={(match) => change({ ...where, match })} />
        )}
      </legend>
      {where.conditions.map((one, index) => (
        <OccurrenceRow
          key={keyOf(one)}
          place={`${place}.conditions[${index}]`}
          value={one}
          fields={fields}
          list={listPlace(where.conditions, index, setConditions)}
          change={(next) => setConditions(replaceAt(where.conditions, index, next))}
        />
      ))}
      <Space>
        <Button size="small" type="link" icon={<PlusOutlined />} onClick={() => add(blankProperty())}>
          {t("builder.add_property")}
        </Button>
        <Button
          size="small"
          type="link"
          onClick={() => add({ elements: "", match: "all", conditions: [blankProperty()] })}
        >
          {t("builder.add_elements")}
        </Button>
      </Space>
    </fieldset>
  );
}

interface RowProps<Value> extends EditorProps<Value> {
  place: string;
  fields: Field[];
  list: ListPlace;
}

function OccurrenceRow({ value, change, ...rest }: RowProps<OccurrenceCondition>) {
  if (isElements(value)) return <ElementsRow value={value} change={change} {...rest} />;
  return <PropertyRow value={value} change={change} {...rest} />;
}

function PropertyRow({ value, change, place, fields, list }: RowProps<PropertyCondition>) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const options = [useNotOption(value, change), ...useTestOptions(value, change, vocabulary)];
  const names = useFieldOptions(fields);
  const field = fields.find((one) => one.name === value.property);
  return (
    <RowFrame name={t("builder.property")} place={place} entry={value} list={list} options={options}>
      <NameSelect
        label={t("builder.property")}
        value={value.property}
        options={names}
        choose={(property) => {
          const type = fields.find((one) => one.name === property)?.type;
          change({ ...withOtherField(value, vocabulary.operators, type), property });
        }}
      />
      <TestEditor value={value} change={change} field={field} />
    </RowFrame>
  );
}

function ElementsRow({ value, change, place, list }: RowProps<ElementsCondition>) {
  const { t } = useTranslation();
  const options = [useNotOption(value, change)];
  return (
    <RowFrame name={t("builder.elements")} place={place} entry={value} list={list} options={options}>
      <NameSelect
        label={t("builder.list_name")}
        value={value.elements}
        options={[]}
        choose={(elements) => change({ ...value, elements })}
      />
      <WhereEditor
        title={t("builder.some_element")}
        place={place}
        value={value}
        fields={[]}
        change={(where) => change({ ...value, ...where })}
        empty={list.remove}
      />
    </RowFrame>
  );
}
