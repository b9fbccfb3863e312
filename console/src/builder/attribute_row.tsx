/** 联系人属性: a test of the latest value of an attribute, or of the elements of a list in it. */

import { Select, Space } from "antd";
import { useTranslation } from "react-i18next";
import { blankWhere } from "../definition/blank";
import { withField } from "../definition/changes";
import { isAttributeElements } from "../definition/kinds";
import { withField as withOtherField } from "../definition/operands";
import type { AttributeCondition, AttributeElementsCondition, Held } from "../definition/types";
import { type EditorProps, useKnowledge } from "./context";
import { DurationEditor } from "./duration_editor";
import { NameSelect } from "./name_select";
import { useAttributeOptions } from "./names";
import { type ListPlace, RowFrame } from "./row_frame";
import { TestEditor } from "./test_editor";
import { type Option, useNotOption, useTestOptions } from "./test_options";
import { WhereEditor } from "./where_editor";

interface Props<Value> extends EditorProps<Value> {
  place: string;
  list: ListPlace;
}

export function AttributeRow({ value, ...rest }: Props<AttributeCondition | AttributeElementsCondition>) {
  if (isAttributeElements(value)) return <ElementsOfAttribute value={value} {...rest} />;
  return <AttributeTest value={value} replace={rest.change} {...rest} />;
}

interface TestProps extends Props<AttributeCondition> {
  /** Replaces the test by conditions on the elements of a list. */
  replace: (next: AttributeElementsCondition) => void;
}

function AttributeTest({ value, change, replace, place, list }: TestProps) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const field = vocabulary.attributes.find((one) => one.name === value.attribute);
  const moves = vocabulary.operators.find((one) => one.name === value.operator)?.moves;
  const options = [
    useNotOption(value, change),
    ...useTestOptions(value, change, vocabulary).filter((one) => one.key !== "as" || !field?.standard),
    ...useHeldOption(value, change, moves === true),
  ];
  const toElements = () => replace({ attribute: value.attribute, elements: blankWhere() });
  return (
    <RowFrame
      name={t("builder.attribute")}
      place={place}
      entry={value}
      list={list}
      options={options}
      actions={[{ key: "elements", label: t("builder.to_elements"), act: toElements }]}
    >
      <NameSelect
        label={t("builder.attribute")}
        value={value.attribute}
        options={useAttributeOptions(vocabulary)}
        choose={(attribute) => {
          const type = vocabulary.attributes.find((one) => one.name === attribute)?.type;
          change({ ...withOtherField(value, vocabulary.operators, type), attribute });
        }}
      />
      <TestEditor value={value} change={change} field={field} />
      {value.held && <HeldEditor value={value.held} change={(held) => change({ ...value, held })} />}
    </RowFrame>
  );
}

function ElementsOfAttribute({ value, change, place, list }: Props<AttributeElementsCondition>) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const options = [useNotOption(value, change), ...useHeldOption(value, change, false)];
  return (
    <RowFrame name={t("builder.attribute")} place={place} entry={value} list={list} options={options}>
      <NameSelect
        label={t("builder.attribute")}
        value={value.attribute}
        options={useAttributeOptions(vocabulary)}
        choose={(attribute) => change({ ...value, attribute })}
      />
      {value.held && <HeldEditor value={value.held} change={(held) => change({ ...value, held })} />}
      <WhereEditor
        title={t("builder.some_element")}
        place={`${place}.elements`}
        value={value.elements}
        fields={[]}
        change={(elements) => change({ ...value, elements })}
        empty={list.remove}
      />
    </RowFrame>
  );
}

function useHeldOption<Given extends { held?: Held }>(
  value: Given,
  change: (next: Given) => void,
  moves: boolean,
): Option[] {
  const { t } = useTranslation();
  if (moves && value.held === undefined) return [];
  const toggle = () =>
    change(withField(value, "held", value.held ? undefined : ({ at_least: "P7D" } as Given["held"])));
  return [{ key: "held", label: t("options.held"), on: value.held !== undefined, toggle }];
}

function HeldEditor({ value, change }: EditorProps<Held>) {
  const { t } = useTranslation();
  const bound = value.less_than === undefined ? "at_least" : "less_than";
  const length = value.less_than ?? value.at_least ?? "P7D";
  return (
    <Space>
      <Select
        aria-label={t("options.held")}
        value={bound}
        popupMatchSelectWidth={false}
        options={["at_least", "less_than"].map((one) => ({ value: one, label: t(`held.${one}`) }))}
        onChange={(next) => change({ [next]: length })}
      />
      <DurationEditor label={t("options.held")} value={length} change={(next) => change({ [bound]: next })} />
    </Space>
  );
}
