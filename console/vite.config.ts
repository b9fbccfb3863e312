import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const BUILT = "../agents/console/static";

/** Compresses each file beforehand, because the thread of a worker has better things to do. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      const folder = join(BUILT, "assets");
      for (const name of readdirSync(folder)) {
        const content = readFileSync(join(folder, name));
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "/console/",
  plugins: [react(), compressed()],
  build: { outDir: BUILT, emptyOutDir: true, chunkSizeWarningLimit: 2_000 },
  server: { proxy: { "/api": "http://localhost:8080" } },
});
