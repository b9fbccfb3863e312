import { Typography } from "antd";

/** A definition in words, one line for each of its clusters or parts, to be copied with one click. */
export function Sentence({ words }: { words: string }) {
  return (
    <Typography.Paragraph className="sentence" copyable={{ text: words, tabIndex: 0 }}>
      {words}
    </Typography.Paragraph>
  );
}
