/** The options of a test that stand behind "more", as entries of a menu and as chips. */

import { useTranslation } from "react-i18next";
import type { Vocabulary } from "../api/vocabulary";
import { withField } from "../definition/changes";
import type { Test } from "../definition/types";

export interface Option {
  key: string;
  label: string;
  on: boolean;
  toggle: () => void;
}

export function useTestOptions<Given extends Test>(
  test: Given,
  change: (next: Given) => void,
  vocabulary: Vocabulary,
): Option[] {
  const { t } = useTranslation();
  const operator = vocabulary.operators.find((one) => one.name === test.operator);
  const flag = (key: "ignore_case" | "normalize"): Option => ({
    key,
    label: t(`options.${key}`),
    on: test[key] === true,
    toggle: () => change(withField(test, key, test[key] ? undefined : (true as Given[typeof key]))),
  });
  const options: Option[] = [];
  if (operator?.compares_text) options.push(flag("ignore_case"), flag("normalize"));
  if (operator?.compares_numbers) {
    options.push({
      key: "as",
      label: t("options.as"),
      on: test.as === "number",
      toggle: () => change(withField(test, "as", test.as ? undefined : ("number" as Given["as"]))),
    });
  }
  return options;
}

export function useNotOption<Given extends { not?: boolean }>(
  given: Given,
  change: (next: Given) => void,
): Option {
  const { t } = useTranslation();
  return {
    key: "not",
    label: t("options.not"),
    on: given.not === true,
    toggle: () => change(withField(given, "not", given.not ? undefined : (true as Given["not"]))),
  };
}
