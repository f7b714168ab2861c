import { exporter } from "../../exporter.ts"
import type { Connect } from "./open-sources.ts"
import { usageSettings } from "./settings.ts"

/** The exporter, of the clouds that `connect` opens or else its settings and the environment name. */
export const projectUsage = (connect?: Connect) =>
  exporter({
    name: "project-usage",
    settings: usageSettings,
    example: "fedstack exporter project-usage --openrc usage-openrc --domain elixir --start 2026-01-01",
    docs: "project-usage.md",
    port: 8080,
    portFlag: { flag: "-p, --port <port>" },
    open: async (values, context) => (await import("./open.ts")).openProjectUsage(values, context, connect),
  })

export const command = projectUsage()
