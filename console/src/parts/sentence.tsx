import { App, Typography } from "antd";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { isTyped } from "./typing";

/** A definition in words, one line for each of its clusters or parts, to be copied with one click. */
export function Sentence({ words }: { words: string }) {
  return (
    <Typography.Paragraph className="sentence" copyable={{ text: words, tabIndex: 0 }}>
      {words}
    </Typography.Paragraph>
  );
}

/** The sentence that a screen is about: the keys for copying copy it, as long as nothing else is selected. */
export function MainSentence({ words }: { words: string }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  useEffect(() => {
    const copied = (event: ClipboardEvent) => {
      if (isTyped(event.target) || window.getSelection()?.isCollapsed === false) return;
      event.preventDefault();
      event.clipboardData?.setData("text/plain", words);
      void message.success(t("common.copied"));
    };
    document.addEventListener("copy", copied);
    return () => document.removeEventListener("copy", copied);
  }, [words, message, t]);
  return <Sentence words={words} />;
}
