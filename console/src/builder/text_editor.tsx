/** The definition as JSON or YAML; the same state as the boxes. */

import { Alert, Segmented, Typography } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { parse } from "yaml";
import { hasLongNumber } from "../definition/long_numbers";
import { hasShape } from "../definition/shape";
import { yamlText } from "../definition/texts";
import type { Definition } from "../definition/types";
import type { EditorProps } from "./context";
import { CopiedTexts } from "./copied_texts";

type Form = "yaml" | "json";

function written(definition: Definition, form: Form): string {
  return form === "json" ? JSON.stringify(definition, null, 2) : yamlText(definition);
}

/** Reads JSON or YAML, which contains JSON. Returns undefined if the form could not show the definition. */
function readText(text: string): Definition | undefined {
  const read: unknown = parse(text);
  return hasShape(read) ? read : undefined;
}

interface Props extends EditorProps<Definition> {
  /** The version that is edited; undefined for a new segment. */
  version: number | undefined;
}

export function TextEditor({ value, change, version }: Props) {
  const { t } = useTranslation();
  const [form, setForm] = useState<Form>("yaml");
  const [text, setText] = useState(() => written(value, form));
  const [fault, setFault] = useState<string>();

  // The text is kept as it is typed, as long as it stands for the same definition.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the definition and the form write the text
  useEffect(() => {
    if (!standsFor(text, value)) {
      setText(written(value, form));
      setFault(undefined);
    }
  }, [value]);

  const type = (typed: string) => {
    setText(typed);
    try {
      const read = readText(typed);
      const isExact = !hasLongNumber(read);
      if (read && isExact) change({ ...read, name: read.name ?? "" });
      setFault(read ? (isExact ? undefined : t("builder.long_numbers")) : t("builder.other_shape"));
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div className="text-editor">
      <Segmented<Form>
        value={form}
        options={["yaml", "json"]}
        onChange={(next) => {
          setForm(next);
          setText(written(value, next));
          setFault(undefined);
        }}
      />
      <Typography.Text copyable={{ text }} />
      {fault === undefined && <CopiedTexts definition={value} version={version} />}
      <textarea
        aria-label={t("builder.as_text")}
        spellCheck={false}
        value={text}
        onChange={(event) => type(event.target.value)}
      />
      {fault && <Alert type="error" showIcon title={t("builder.not_readable")} description={fault} />}
    </div>
  );
}

function standsFor(text: string, value: Definition): boolean {
  try {
    return JSON.stringify(readText(text)) === JSON.stringify(value);
  } catch {
    return false;
  }
}
