import { Faults } from "#core/config/faults.ts"
import { type Component, component } from "#core/component.ts"
import { UsageError } from "#core/errors.ts"
import { exporter } from "../../exporter.ts"
import type { OpenTargets } from "./open.ts"
import { countPackage } from "./rego.ts"
import { opaDataSettings, pathsOf } from "./settings.ts"

/** The exporter, of the OPAs that `openTargets` finds or else its settings name. */
export const opaData = (openTargets?: OpenTargets) =>
  exporter({
    name: "opa-data",
    settings: opaDataSettings,
    example: "fedstack exporter opa-data --cluster-name a --opa-service opa --opa-cluster-data kubernetes/namespaces",
    docs: "opa-data.md",
    port: 9999,
    portFlag: { flag: "--prometheus-port <port>", env: ["APP_PROMETHEUS_PORT"] },
    once: ({ single }) => single,
    open: async (values, context) => (await import("./open.ts")).openOpaData(values, context, openTargets),
  })

const exporting = opaData()

export const command: Component<typeof exporting.settings> = component({
  ...exporting,
  run: async (values, context) => {
    if (!values.printPackage) return exporting.run(values, context)
    const faults = new Faults()
    const paths = pathsOf(values, faults)
    faults.orThrow(UsageError)
    context.print(countPackage(paths, values.opaPackage))
    return undefined
  },
})
