import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/request";
import { Console } from "./console";
import { startLanguage } from "./language/language";
import "./console.css";

const questions = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && !(error instanceof Problem && error.status < 500),
      staleTime: 1_000,
    },
  },
});

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
