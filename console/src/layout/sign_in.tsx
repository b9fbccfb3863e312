import { Alert, Button, Form, Input, Spin, Typography } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/request";
import { useSession, useSignIn } from "../api/session";
import { Failure } from "../parts/failure";

/** Shows the page to whom the API knows, and a form for the token to everybody else. */
export function SignIn({ children }: { children: ReactNode }) {
  const session = useSession();
  if (session.data) return children;
  if (session.error instanceof Problem && session.error.status === 401) return <TokenForm />;
  if (session.error) return <Failure error={session.error} retry={() => session.refetch()} />;
  return <Spin fullscreen />;
}

function TokenForm() {
  const { t } = useTranslation();
  const signIn = useSignIn();
  return (
    <main className="sign-in">
      <Typography.Title level={1}>streamseg</Typography.Title>
      <Form layout="vertical" onFinish={({ token }: { token: string }) => signIn.mutate(token.trim())}>
        <Form.Item name="token" label={t("sign_in.token")} rules={[{ required: true }]}>
          <Input.Password autoComplete="current-password" autoFocus />
        </Form.Item>
        {signIn.error && <Alert type="error" showIcon title={signIn.error.message} />}
        <Button type="primary" htmlType="submit" loading={signIn.isPending} block>
          {t("sign_in.submit")}
        </Button>
      </Form>
    </main>
  );
}
