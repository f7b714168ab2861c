import { component } from "#core/component.ts"
import { setting, text } from "#core/config/settings.ts"
import { tenantSettings } from "./routing/settings.ts"
import { tenancyProxySettings } from "./settings.ts"

/** Its settings. What it needs to run is loaded only when it does. */
export const tenancyProxy = component({
  settings: tenancyProxySettings,
  example: "fedstack tenancy-proxy --ingester-upstream-url http://cortex:9009/api/v1/push",
  docs: "tenancy.md",
  async run(values, { log, now, env }) {
    if (values.workers > 1) return (await import("./workers/start-workers.ts")).startWorkers(values, { log, env })
    return (await import("./start.ts")).startTenancyProxy(values, { log, now, env })
  },
})

export const checkSenders = component({
  settings: {
    sitesFile: setting(text, {
      flag: "--sites <file>",
      help: "Check the sites of this sites.yaml that have push, too, or alone",
      env: [],
    }),
    as: setting(text, { flag: "--as <sender>", help: "Explain what becomes of a series of this sender", env: [] }),
    series: setting(text, {
      flag: "--series <series>",
      help: 'The series as the sender writes it, such as up{job="node"}',
      env: [],
    }),
    ...tenantSettings,
  },
  argument: { notation: "[file]", help: "the file of senders, such as senders.yaml" },
  example: `fedstack check senders senders.yaml --as gateway --series 'node_load1{job="node"}'`,
  docs: "tenancy.md#check-what-becomes-of-a-series",
  once: () => true,
  async run(options, context, file) {
    const { checkSenders: check } = await import("./check.ts")
    return check(file, options, context)
  },
})
