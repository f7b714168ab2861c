import { component } from "#core/component.ts"
import { on, setting } from "#core/config/settings.ts"
import { webSettings } from "#core/http/settings.ts"
import { federationSettings } from "./federation/settings.ts"

/** The portal's commands. What they need to run is loaded only when they do. */
export const portal = component({
  settings: { ...federationSettings, ...webSettings(":8090") },
  example: "fedstack portal --sites.file sites.yaml --prometheus.url http://localhost:9090",
  docs: "portal.md",
  run: async (values, context) => (await import("./start.ts")).startPortal(values, context),
})

export const checkSites = component({
  settings: {
    connect: setting(
      on,
      {
        flag: "--connect",
        help: "Request each site once, as Prometheus would, and report which does not deliver and why",
      },
      "false",
    ),
  },
  argument: { notation: "<file>", help: "the sites file, such as portal/sites.yaml" },
  example: "fedstack check sites portal/sites.yaml",
  docs: "portal.md#list-the-sites",
  once: () => true,
  run: async ({ connect }, context, file) => (await import("./federation/check.ts")).checkSites(file, context, connect),
})
