import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/request";
import { Console } from "./console";
import { startLanguage } from "./language/language";
import { giveNonceToStyles } from "./layout/style_nonce";
import "./console.css";

const questions = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && !(error instanceof Problem && error.status < 500),
      staleTime: 1_000,
    },
  },
});

giveNonceToStyles();
startLanguage();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={questions}>
        <Console />
      </QueryClientProvider>
    </StrictMode>,
  );
}
