import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const node = process.env.SERVITWIN_URL ?? "http://127.0.0.1:8460";

export default defineConfig({
  base: "/app/",
  plugins: [react()],
  worker: { format: "es" },
  build: {
    outDir: "../src/servitwin/web/ui",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    manifest: true,
  },
  server: { proxy: { "/api": node } },
  test: { environment: "node", include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
});
