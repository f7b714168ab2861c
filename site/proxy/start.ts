import { type Closable, closeAll } from "#core/closable.ts"
import type { Logger } from "#core/log/logger.ts"
import { addAdmin, serve } from "#core/http/server.ts"
import { openFederation } from "./federation.ts"
import { createHealthCheck } from "./health-check.ts"
import { createProxyMetrics } from "./metrics.ts"
import { openPolicy } from "./policy/watch.ts"
import type { ProxyConfig } from "./config.ts"

export type RunningProxy = Awaited<ReturnType<typeof startProxy>>

/** Starts both servers; the public one serves /federate to clients of the policy, and to others health checks alone. */
export async function startProxy(
  config: ProxyConfig,
  log: Logger,
  now: () => Date = () => new Date(),
  milliseconds = (): number => performance.now(),
) {
  const metrics = createProxyMetrics()
  let federation: ReturnType<typeof openFederation> | undefined
  const opened: Closable[] = [config.policy]
  try {
    const { registry } = metrics
    const policy = await openPolicy(config.policy, { log, registry, changed: () => federation?.apply() })
    opened.unshift(policy)
    const admin = await serve({
      addresses: [config.adminAddress],
      webConfigFile: undefined,
      log,
      registry,
      routes: (app) => addAdmin(app, registry, () => undefined),
    })
    opened.unshift(admin)
    federation = openFederation({ policy: () => policy.current(), metrics, log, now, milliseconds })
    const { handle } = federation
    opened.unshift(federation)
    const answerHealthCheck = createHealthCheck(registry)
    const serving = await serve({
      addresses: config.addresses,
      webConfigFile: config.webConfigFile,
      log,
      refuseBasicAuth: "the portal's token comes in the same header; remove the users",
      registry,
      // who sends a request is found out before anything else, so the router sees one path and has nothing to refuse
      rewriteUrl: () => "/",
      routes: (app) => {
        app.addHook("onRequest", ({ raw, originalUrl }, reply) => {
          raw.url = originalUrl
          const { raw: response } = reply.hijack()
          if (!answerHealthCheck(raw, response)) void handle(raw, response)
        })
      },
    })
    opened.unshift(serving)
    return {
      public: serving,
      admin,
      async reload(): Promise<void> {
        await policy.reload()
        await serving.reload()
      },
      close: (): Promise<void> => closeAll(opened),
    }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}
