/** The screens that the header leads to. `contacts`: only those who may read contacts have use for it. */
export const SCREENS = [
  { path: "/segments", label: "screens.segments", contacts: false },
  { path: "/contacts", label: "screens.contacts", contacts: true },
  { path: "/live", label: "screens.live", contacts: true },
] as const;
