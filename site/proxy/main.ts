import { closeAll, component, type Running } from "#core/component.ts"
import type { Logger } from "#core/log.ts"
import { addAdmin, serve, type Serving } from "#core/server.ts"
import { admit } from "./admit.ts"
import { authorizeSame } from "./authorize.ts"
import { fixedPolicy, policyOf, type PolicySource, watchTokenFile } from "./clients.ts"
import { openExchange, refuse } from "./exchange.ts"
import { forward } from "./forward.ts"
import { createProxyMetrics, type ProxyMetrics } from "./metrics.ts"
import { type ProxyConfig, proxySettings, readProxyConfig } from "./settings.ts"

export const command = component({
  settings: proxySettings,
  run: async (values, { log }) => startProxy(await readProxyConfig(values), log),
})

export interface RunningProxy extends Running {
  readonly public: Serving
  readonly admin: Serving
  reload(): Promise<void>
}

/** Starts both servers; the public one answers /federate, and nobody without a token. */
export async function startProxy(config: ProxyConfig, log: Logger): Promise<RunningProxy> {
  const metrics = createProxyMetrics()
  const policy = await openPolicy(config, metrics, log)
  const opened: Running[] = [policy]
  try {
    const admin = await serve({
      addresses: [config.adminAddress],
      webConfigFile: undefined,
      log,
      routes: (app) => addAdmin(app, { registry: metrics.registry, notReady: () => undefined }),
    })
    opened.unshift(admin)
    const federation = await serve({
      addresses: config.addresses,
      webConfigFile: config.webConfigFile,
      log,
      refuseBasicAuth: "the portal's token comes in the same header; remove the users",
      registry: metrics.registry,
      routes: async (app) => {
        app.addHook("onRequest", (request, reply, next) => {
          const exchange = openExchange(request, reply, { metrics, log })
          try {
            admit(request, exchange, policy.current(), authorizeSame)
            next()
          } catch (error) {
            refuse(exchange, reply, error)
          }
        })
        opened.unshift(await forward(app, { ...config, metrics, log }))
      },
    })
    opened.unshift(federation)
    return {
      public: federation,
      admin,
      async reload() {
        await policy.reload()
        await federation.reload()
      },
      close: () => closeAll(opened),
    }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

function openPolicy(config: ProxyConfig, metrics: ProxyMetrics, log: Logger): Promise<PolicySource> | PolicySource {
  const reloaded = (successful: boolean): void => {
    metrics.reloadSuccessful.set(successful ? 1 : 0)
    if (successful) metrics.reloadTime.setToCurrentTime()
  }
  reloaded(true)
  const { client, tokens, tokenFile } = config
  if (tokenFile === undefined) return fixedPolicy(policyOf(client, tokens))
  return watchTokenFile(tokenFile, client, tokens, { reloaded }, log)
}
