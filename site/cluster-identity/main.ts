import { component } from "#core/component.ts"
import { clusterIdentitySettings } from "./settings.ts"

export const clusterIdentity = component({
  settings: clusterIdentitySettings,
  example: "fedstack cluster-identity --dry-run --output-format json --optional-credentials",
  docs: "cluster-identity.md",
  once: ({ watch }) => !watch,
  run: async (values, context) => (await import("./start.ts")).startClusterIdentity(values, context),
})
