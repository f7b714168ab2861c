import { type Closable, closeAll } from "#core/closable.ts"
import type { Logger } from "#core/log/logger.ts"
import { addAdmin, serve, type Serving } from "#core/http/server.ts"
import { openFederation } from "./federation.ts"
import { createHealthCheck } from "./health-check.ts"
import { createProxyMetrics } from "./metrics.ts"
import type { Policy } from "./policy/types.ts"
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
  let serving: Serving | undefined
  const apply = ({ requestBytes }: Policy): void => {
    federation?.apply()
    serving?.limitHeaders(headerLimit(requestBytes))
  }
  const opened: Closable[] = [config.policy]
  try {
    const { registry } = metrics
    const policy = await openPolicy(config.policy, { log, registry, changed: apply })
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
    const listening = await serve({
      addresses: config.addresses,
      webConfigFile: config.webConfigFile,
      log,
      headers: headerLimit(policy.current().requestBytes),
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
    serving = listening
    apply(policy.current()) // which may have changed meanwhile
    opened.unshift(listening)
    return {
      public: listening,
      admin,
      async reload(): Promise<void> {
        await policy.reload()
        await listening.reload()
      },
      close: (): Promise<void> => closeAll(opened),
    }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

const headerLimit = (bytes: number) => ({ bytes, setting: "request_bytes" })
