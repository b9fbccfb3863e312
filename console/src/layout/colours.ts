/** The colours of the page, and whether it moves. Each text has the contrast of WCAG AA on its ground, in light and in dark. */

import { type ThemeConfig, theme } from "antd";

const LIGHT = {
  colorPrimary: "#1357c9",
  colorPrimaryHover: "#2a68d4",
  colorLink: "#1357c9",
  colorLinkHover: "#2a68d4",
  colorError: "#c4161c",
  colorSuccess: "#1f6f12",
  colorWarning: "#8a5a00",
  colorSuccessBg: "#eef8ec",
  colorErrorBg: "#fdeeee",
  colorWarningBg: "#fdf6e8",
  colorTextSecondary: "rgba(0,0,0,0.70)",
  colorTextTertiary: "rgba(0,0,0,0.65)",
  colorTextDescription: "rgba(0,0,0,0.65)",
  colorTextPlaceholder: "rgba(0,0,0,0.58)",
};

const DARK = {
  colorPrimary: "#3c89e8",
  colorLink: "#6aa9ff",
  colorError: "#ef6b6d",
  colorTextSecondary: "rgba(255,255,255,0.75)",
  colorTextTertiary: "rgba(255,255,255,0.70)",
  colorTextDescription: "rgba(255,255,255,0.70)",
  colorTextPlaceholder: "rgba(255,255,255,0.60)",
};

/** `still`: boxes open and close without movement. */
export function colours(dark: boolean, still: boolean): ThemeConfig {
  return {
    algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: { ...(dark ? DARK : LIGHT), borderRadius: 6, motion: !still },
    components: dark ? { Tabs: { itemSelectedColor: DARK.colorLink, itemActiveColor: DARK.colorLink } } : {},
  };
}
