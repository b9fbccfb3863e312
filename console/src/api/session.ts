/** Who the user is to the API. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { forgetDrafts } from "../builder/draft";
import { ask } from "./request";

export interface Session {
  account: string;
  signed_in: "cookie" | "token" | "machine";
  role: "read" | "edit" | "admin";
  contacts: boolean;
  expires_at: string | null;
}

export function useSession() {
  return useQuery({ queryKey: ["session"], queryFn: () => ask<Session>("/session") });
}

/** Whether the user may make and change things; while it is not known, as if so. */
export function useMayEdit() {
  return useSession().data?.role !== "read";
}

export function useSignIn() {
  const questions = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => ask<Session>("/session", { method: "POST", body: { token } }),
    onSuccess: (session) => questions.setQueryData(["session"], session),
  });
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => ask<void>("/session", { method: "DELETE" }),
    // The page begins again, and keeps nothing of what the account saw.
    onSuccess: () => {
      forgetDrafts();
      window.location.reload();
    },
  });
}
