/** The screens that the header leads to. */
export const SCREENS = [
  { path: "/segments", label: "screens.segments" },
  { path: "/contacts", label: "screens.contacts" },
  { path: "/live", label: "screens.live" },
] as const;
