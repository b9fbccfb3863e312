import { Input } from "antd";
import { useState } from "react";
import { AskDialog } from "./ask_dialog";

interface Props {
  title: string;
  label: string;
  initial?: string;
  submit: (name: string) => Promise<unknown>;
  cancel: () => void;
}

/** Asks for one name. */
export function NameDialog({ title, label, initial = "", submit, cancel }: Props) {
  const [name, setName] = useState(initial);
  return (
    <AskDialog title={title} ready={name.trim() !== ""} submit={() => submit(name.trim())} cancel={cancel}>
      <Input
        aria-label={label}
        placeholder={label}
        value={name}
        autoFocus
        maxLength={1000}
        onChange={(event) => setName(event.target.value)}
      />
    </AskDialog>
  );
}
