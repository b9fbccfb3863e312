/** The screens that the header leads to. */
export const SCREENS = [{ path: "/segments", label: "screens.segments" }] as const;
