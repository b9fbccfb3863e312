import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ask } from "./request";
import type { Group } from "./types";

export function useGroups() {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ["groups", i18n.language],
    queryFn: ({ signal }) => ask<{ groups: Group[] }>("/groups", { signal }),
    refetchInterval: 10_000,
  });
}
