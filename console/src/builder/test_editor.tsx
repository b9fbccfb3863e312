/** An operator with its operand, and the options beside it. */

import { Select, Space } from "antd";
import { useTranslation } from "react-i18next";
import { type Field, type Operator, useLabel } from "../api/vocabulary";
import { hasLongNumber } from "../definition/long_numbers";
import { operatorsFor, withOperator } from "../definition/operands";
import type { Test } from "../definition/types";
import { type EditorProps, useKnowledge } from "./context";
import { ValueEditor } from "./value_editor";

interface Props<Given extends Test> extends EditorProps<Given> {
  field: Field | undefined;
}

/** Whether a test is true where there is no value: `not` turns that around. */
function isNegative(operator: Operator, test: Test): boolean {
  const isTurned = "not" in test && test.not === true;
  return (operator.positive !== operator.name) !== isTurned;
}

export function TestEditor<Given extends Test>({ value: test, change, field }: Props<Given>) {
  const { t } = useTranslation();
  const { vocabulary } = useKnowledge();
  const name = useLabel();
  const type = field?.type ?? null;
  const offered = operatorsFor(vocabulary.operators, type);
  const operator = vocabulary.operators.find((one) => one.name === test.operator);
  const shown = operator && !offered.includes(operator) ? [...offered, operator] : offered;
  return (
    <Space wrap>
      <Select
        className="operator"
        aria-label={t("builder.operator")}
        value={test.operator}
        popupMatchSelectWidth={false}
        showSearch={{ optionFilterProp: "label" }}
        options={shown.map((one) => ({ value: one.name, label: name(one) }))}
        onChange={(next) => change(withOperator(test, next, vocabulary.operators, type))}
      />
      {operator?.operand && (
        <ValueEditor
          operand={operator.operand}
          value={test.value}
          type={type}
          seen={(field?.seen?.values ?? []).filter((one) => !hasLongNumber(one.value))}
          change={(value) => change({ ...test, value })}
        />
      )}
      {operator?.operand && isNegative(operator, test) && (
        <span className="quiet">{t("builder.also_missing")}</span>
      )}
    </Space>
  );
}
