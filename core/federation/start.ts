import { type Closable, closeAll } from "#core/closable.ts"
import type { Address } from "#core/config/settings.ts"
import { addAdmin, serve } from "#core/http/server.ts"
import { requireApart } from "#core/http/settings.ts"
import type { CachedRequest } from "#core/response-cache/cache.ts"
import type { Client, ClientPolicy } from "./client.ts"
import { type FederationOptions, openFederation } from "./federation.ts"
import { createHealthCheck } from "./health-check.ts"
import { openPolicy, type PolicyLoader } from "./open-policy.ts"

/** Which policy holds, and where. */
export interface FederationConfig<P extends ClientPolicy> {
  readonly policy: PolicyLoader<P>
  readonly addresses: readonly Address[]
  readonly adminAddress: Address
  readonly webConfigFile: string | undefined
}

interface StartOptions<P extends ClientPolicy<C>, C extends Client, Q, R extends CachedRequest> extends Omit<
  FederationOptions<P, C, Q, R>,
  "policy" | "source"
> {
  /** Of the names of its metrics. */
  readonly prefix: string
  /** Why it refuses basic_auth_users, in a sentence. */
  readonly refuseBasicAuth: string
  readonly openSource: () => FederationOptions<P, C, Q, R>["source"]
}

/** Starts both servers; the public one serves series to clients of the policy, and to others health checks alone. */
export async function startFederation<P extends ClientPolicy<C>, C extends Client, Q, R extends CachedRequest>(
  config: FederationConfig<P>,
  { prefix, refuseBasicAuth, openSource, ...options }: StartOptions<P, C, Q, R>,
) {
  const { log, metrics } = options
  const { registry } = metrics
  requireApart(config.addresses, config.adminAddress)
  const opened: Closable[] = [config.policy]
  let apply = (): void => undefined
  try {
    const policy = await openPolicy(config.policy, { log, registry, changed: () => apply() })
    opened.unshift(policy)
    const admin = await serve({
      addresses: [config.adminAddress],
      flag: "--admin.listen-address",
      webConfigFile: undefined,
      log,
      registry,
      routes: (app) => addAdmin(app, registry, () => undefined),
    })
    opened.unshift(admin)
    const federation = openFederation({ ...options, policy: () => policy.current(), source: openSource() })
    opened.unshift(federation)
    const answerHealthCheck = createHealthCheck(registry, prefix)
    const headerLimit = () => ({ bytes: policy.current().requestBytes, setting: "request_bytes" })
    const listening = await serve({
      addresses: config.addresses,
      webConfigFile: config.webConfigFile,
      log,
      headers: headerLimit(),
      refuseBasicAuth,
      registry,
      // who sends a request is found out before anything else, so the router sees one path and has nothing to refuse
      rewriteUrl: () => "/",
      routes: (app) => {
        app.addHook("onRequest", ({ raw, originalUrl }, reply) => {
          raw.url = originalUrl
          const { raw: response } = reply.hijack()
          if (!answerHealthCheck(raw, response)) void federation.handle(raw, response)
        })
      },
    })
    opened.unshift(listening)
    apply = () => {
      federation.apply()
      listening.limitHeaders(headerLimit())
    }
    apply() // what changed meanwhile
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
