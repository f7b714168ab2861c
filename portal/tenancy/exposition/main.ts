import { component } from "#core/component.ts"
import { setting, settings, text } from "#core/config/settings.ts"
import { expositionSettings } from "./settings.ts"

/** The settings of its commands. What they need to run is loaded only when they do. */
export const tenancyExposition = component({
  settings: expositionSettings,
  example: "fedstack tenancy-exposition --tenants tenants.yaml --web.config.file web.yml",
  docs: "tenancy-exposition.md",
  async run(values, { log, now, env }) {
    const [{ clientsFile }, { startExposition }, { whyNoCertificates }] = await Promise.all([
      import("./clients/load.ts"),
      import("./start.ts"),
      import("#core/http/web/why-no-certificates.ts"),
    ])
    const noCertificates = () => whyNoCertificates(values.webConfigFile)
    const config = {
      policy: clientsFile(values.tenants, { log, now, env, noCertificates }),
      addresses: values.webListenAddress,
      adminAddress: values.adminListenAddress,
      webConfigFile: values.webConfigFile,
    }
    return startExposition(config, log, now)
  },
})

export const checkTenants = component({
  settings: {
    as: setting(text, { flag: "--as <client>", help: "Explain what this client of the file may read", env: [] }),
    match: settings(
      text,
      { flag: "--match <selector>", help: "Check whether the client may read this; may be repeated", env: [] },
      [],
    ),
  },
  argument: { notation: "<file>", help: "the file of clients, such as tenants.yaml" },
  example: `fedstack check tenants tenants.yaml --as team-a --match '{job="node"}'`,
  docs: "tenancy-exposition.md",
  once: () => true,
  async run(options, context, file) {
    const { checkClients } = await import("./check.ts")
    return checkClients(file, options, context)
  },
})
