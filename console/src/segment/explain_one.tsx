import { Form, Input, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { explainAddress } from "../addresses";

/** Asks for the contact of an explanation. */
export function ExplainOne({ segmentId }: { segmentId: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [contactId, setContactId] = useState("");
  const go = () => {
    if (contactId.trim() !== "") navigate(explainAddress(segmentId, contactId.trim()));
  };
  return (
    <Form layout="vertical" className="narrow" onFinish={go}>
      <Typography.Paragraph>{t("segment.explain_text")}</Typography.Paragraph>
      <Input.Search
        aria-label={t("contact.id")}
        placeholder={t("contact.id")}
        enterButton={t("segment.explain_go")}
        value={contactId}
        onChange={(event) => setContactId(event.target.value)}
        onSearch={go}
      />
    </Form>
  );
}
