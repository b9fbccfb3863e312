import { Alert, Modal } from "antd";
import { type ReactNode, useState } from "react";

interface Props {
  title: string;
  ready: boolean;
  submit: () => Promise<unknown>;
  cancel: () => void;
  children: ReactNode;
}

/** A question with fields of its own. A refusal is shown below them. */
export function AskDialog({ title, ready, submit, cancel, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const send = async () => {
    setBusy(true);
    try {
      await submit();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      title={title}
      onOk={send}
      onCancel={cancel}
      okButtonProps={{ disabled: !ready, loading: busy }}
    >
      {/* The Enter key in a field is the same as the button. */}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) void send();
        }}
      >
        {children}
        {refusal && <Alert type="error" showIcon title={refusal} />}
      </form>
    </Modal>
  );
}
