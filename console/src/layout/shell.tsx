/** The frame of every screen: the way to the others, language, appearance and account. */

import { GlobalOutlined, LogoutOutlined, MoonOutlined, SunOutlined, UserOutlined } from "@ant-design/icons";
import { Button, Layout, Space, Tooltip } from "antd";
import { useTranslation } from "react-i18next";
import { Link, Outlet, useLocation } from "react-router";
import { useSession, useSignOut } from "../api/session";
import { chooseLanguage } from "../language/language";
import { chooseAppearance, useAppearance } from "./appearance";
import { isOffered, isWithin, SCREENS } from "./screens";

export function Shell() {
  const { t } = useTranslation();
  const { dark } = useAppearance();
  return (
    <Layout className={dark ? "shell dark" : "shell light"}>
      <a className="skip" href="#content">
        {t("shell.skip")}
      </a>
      <Layout.Header className="header">
        <Link to="/segments" className="brand">
          streamseg
        </Link>
        <Screens />
        <Tools />
      </Layout.Header>
      <Layout.Content id="content" tabIndex={-1}>
        <Outlet />
      </Layout.Content>
    </Layout>
  );
}

function Screens() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const session = useSession();
  return (
    <nav aria-label={t("shell.screens")}>
      {SCREENS.filter((screen) => isOffered(screen, session.data)).map((screen) => {
        const here = isWithin(screen, pathname);
        return (
          <Link
            key={screen.path}
            to={screen.path}
            className={here ? "active" : ""}
            aria-current={here ? "page" : undefined}
          >
            {t(screen.label)}
          </Link>
        );
      })}
    </nav>
  );
}

function Tools() {
  const { t, i18n } = useTranslation();
  const { dark } = useAppearance();
  const session = useSession();
  const signOut = useSignOut();
  const other = i18n.language === "en" ? "zh" : "en";
  return (
    <Space className="tools" size="small">
      <Button type="text" icon={<GlobalOutlined />} lang={other} onClick={() => chooseLanguage(other)}>
        {t("shell.other_language")}
      </Button>
      <Tooltip title={dark ? t("shell.light") : t("shell.dark")}>
        <Button
          type="text"
          aria-label={dark ? t("shell.light") : t("shell.dark")}
          icon={dark ? <SunOutlined /> : <MoonOutlined />}
          onClick={() => chooseAppearance(!dark)}
        />
      </Tooltip>
      <span className="account">
        <UserOutlined aria-hidden /> {session.data?.account}
      </span>
      {session.data?.signed_in === "cookie" && (
        <Tooltip title={t("shell.sign_out")}>
          <Button
            type="text"
            aria-label={t("shell.sign_out")}
            icon={<LogoutOutlined />}
            onClick={() => signOut.mutate()}
          />
        </Tooltip>
      )}
    </Space>
  );
}
