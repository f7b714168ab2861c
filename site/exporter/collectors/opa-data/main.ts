import { type Component, component } from "#core/component.ts"
import { exporter } from "../../exporter.ts"
import { checkPaths } from "./check-settings.ts"
import type { OpenTargets } from "./open.ts"
import { countedPaths } from "./paths.ts"
import { countPackage } from "./rego.ts"
import { opaDataSettings } from "./settings.ts"

/** The exporter, of the OPAs that `openTargets` finds or else its settings name. */
export const opaData = (openTargets?: OpenTargets) =>
  exporter({
    name: "opa-data",
    settings: opaDataSettings,
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
    checkPaths(values)
    context.print(
      countPackage(countedPaths(values.opaClusterData.flat(), values.opaNamespacedData.flat()), values.opaPackage),
    )
    return undefined
  },
})
