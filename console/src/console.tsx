/** The whole page: theme, locale, sign in, and the addresses of the screens. */

import { App, ConfigProvider } from "antd";
import english from "antd/locale/en_US";
import chinese from "antd/locale/zh_CN";
import { useTranslation } from "react-i18next";
import { createBrowserRouter, Navigate, RouterProvider } from "react-router";
import { EditSegmentPage, NewSegmentPage } from "./builder/builder_page";
import { ContactPage } from "./contact/contact_page";
import { ContactsPage } from "./contact/contacts_page";
import { HealthPage } from "./health/health_page";
import { useAppearance } from "./layout/appearance";
import { colours } from "./layout/colours";
import { Crash } from "./layout/crash";
import { NoSuchPage } from "./layout/no_such_page";
import { Shell } from "./layout/shell";
import { SignIn } from "./layout/sign_in";
import { STYLE_NONCE } from "./layout/style_nonce";
import { LivePage } from "./live/live_page";
import { ExplainPage } from "./segment/explain_page";
import { SegmentPage } from "./segment/segment_page";
import { DeletedPage } from "./segments/deleted_page";
import { SegmentsPage } from "./segments/segments_page";

const router = createBrowserRouter(
  [
    {
      element: <Shell />,
      errorElement: <Crash />,
      children: [
        { path: "/", element: <Navigate to="/segments" replace /> },
        { path: "/segments", element: <SegmentsPage /> },
        { path: "/new/:type", element: <NewSegmentPage /> },
        { path: "/segments/:segmentId/edit", element: <EditSegmentPage /> },
        { path: "/segments/:segmentId", element: <SegmentPage /> },
        { path: "/segments/:segmentId/explain/:contactId", element: <ExplainPage /> },
        { path: "/deleted", element: <DeletedPage /> },
        { path: "/contacts", element: <ContactsPage /> },
        { path: "/contacts/:contactId", element: <ContactPage /> },
        { path: "/live", element: <LivePage /> },
        { path: "/health", element: <HealthPage /> },
        { path: "*", element: <NoSuchPage /> },
      ],
    },
  ],
  { basename: "/console" },
);

export function Console() {
  const { i18n } = useTranslation();
  const { dark, still } = useAppearance();
  return (
    <ConfigProvider
      csp={{ nonce: STYLE_NONCE }}
      button={{ autoInsertSpace: false }}
      locale={i18n.language === "en" ? english : chinese}
      theme={colours(dark, still)}
    >
      <App>
        <SignIn>
          <RouterProvider router={router} />
        </SignIn>
      </App>
    </ConfigProvider>
  );
}
