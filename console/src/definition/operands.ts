/** The operand that a test gets when its field or its operator changes. */

import type { Operand, Operator } from "../api/vocabulary";
import type { Test } from "./types";

/** The operator that is offered first for a type of value. */
const FIRST_OPERATOR: Record<string, string> = {
  number: "ge",
  time: "within_last",
  list: "contains_any",
};

export function firstOperator(type: string | null | undefined): string {
  return FIRST_OPERATOR[type ?? "string"] ?? "eq";
}

/** Returns the operators for a type of value; all of them if the type is not known. */
export function operatorsFor(operators: Operator[], type: string | null | undefined): Operator[] {
  if (type === "string_or_number") {
    return operators.filter(({ kinds }) => kinds.includes("string") || kinds.includes("number"));
  }
  const known = operators.some(({ kinds }) => kinds.includes(type ?? ""));
  return known ? operators.filter(({ kinds }) => kinds.includes(type ?? "")) : operators;
}

export function blankOperand(operand: Operand, type: string | null | undefined): unknown {
  switch (operand) {
    case "text":
    case "pattern":
      return "";
    case "scalar_or_list":
      return type === "number" ? 0 : type === "boolean" ? true : type === "list" ? [] : "";
    case "number":
      return 0;
    case "time":
      return today();
    case "duration":
      return "P7D";
    case "list":
      return [];
    case "number_range":
      return [0, 100];
    case "range":
      return type === "time" ? [today(), null] : [0, 100];
    case "offset_range":
      return ["-P7D", "P7D"];
    case "period":
      return { unit: "month", from: -1, to: -1 };
    case "calendar":
      return { unit: "weekday", values: [1] };
    case "anniversary":
      return { in_next: "P7D" };
    case "age_range":
      return [18, null];
  }
}

function today(): string {
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** Returns the test with another operator. The value survives if the new operator takes the same kind; options
 * survive where the operator takes them. */
export function withOperator<Given extends Test>(
  test: Given,
  name: string,
  operators: Operator[],
  type: string | null | undefined,
): Given {
  const [before, after] = [test.operator, name].map((one) => operators.find((row) => row.name === one));
  const next: Given = { ...test, operator: name };
  const operand = after?.operand ?? null;
  if (operand === null) delete next.value;
  else if (before?.operand !== operand || next.value === undefined) next.value = blankOperand(operand, type);
  if (!after?.compares_text) {
    delete next.ignore_case;
    delete next.normalize;
  }
  if (!after?.compares_numbers) delete next.as;
  if (after?.moves && "held" in next) delete next.held;
  return next;
}

/** Returns the test for another field, whose values have a type. The operator survives if it takes that type. */
export function withField<Given extends Test>(
  test: Given,
  operators: Operator[],
  type: string | null | undefined,
): Given {
  const fits = operatorsFor(operators, type).some(({ name }) => name === test.operator);
  const untouched = test.value === "" || test.value === undefined;
  if (fits && !untouched) return test;
  const name = fits && type !== "number" ? test.operator : firstOperator(type);
  const operand = operators.find((row) => row.name === name)?.operand ?? null;
  const changed = withOperator(test, name, operators, type);
  return operand === null ? changed : { ...changed, value: blankOperand(operand, type) };
}
