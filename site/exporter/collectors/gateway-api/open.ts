import { closeAll } from "#core/closable.ts"
import { openKubernetes } from "#core/kubernetes/api.ts"
import type { Collector, ExporterContext } from "../../collector.ts"
import { scopeOf } from "./choose.ts"
import { collectOnScrape } from "./on-scrape.ts"
import { collectOnWatch } from "./on-watch.ts"
import type { GatewayApiValues } from "./settings.ts"

/** Reads Gateway API objects of a cluster, at each scrape or by watches. */
export async function openGatewayApi(values: GatewayApiValues, { env, now, log }: ExporterContext): Promise<Collector> {
  const scope = scopeOf(values)
  const { kubeconfig, context, timeout } = values
  const api = await openKubernetes({ kubeconfig, context, env })
  if (!values.watch)
    return { collect: collectOnScrape(api, scope, timeout), patience: timeout + 1, close: () => api.close() }
  const watching = collectOnWatch({ api, scope, now, log })
  const { collect, notReady } = watching
  // how old what is exported is stands beside it, and without it no alert would be left
  return { collect, notReady, maxAge: Number.POSITIVE_INFINITY, close: () => closeAll([watching, api]) }
}
