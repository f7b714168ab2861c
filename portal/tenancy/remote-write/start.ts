import { type Closable, closeAll } from "#core/closable.ts"
import { addAdmin, serve } from "#core/http/server.ts"
import { isReachable, listeningOf, requireApart } from "#core/http/settings.ts"
import { whyNoCertificates } from "#core/http/web/why-no-certificates.ts"
import type { Registry } from "prom-client"
import type { Address } from "#core/config/settings.ts"
import { type Limits, ownLimits } from "#core/limits/shared-limits.ts"
import type { Logger } from "#core/log/logger.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { admitEverybody } from "./admit.ts"
import { openAdmission } from "./admit-senders.ts"
import { bodyLimit, requireRoom, type TenancyProxyValues } from "./config.ts"
import { openForward } from "./forward/open.ts"
import { forwardConfig } from "./forward/settings.ts"
import { createProxyMetrics } from "./metrics.ts"
import { createResends, type SharedEntry } from "./outcome/resends.ts"
import { createRoom } from "./receive/room.ts"
import { createRequests, type Exposition, expositionOf } from "./requests.ts"
import { openRouting } from "./routing/open-routing.ts"
import { splitMessage } from "./split-message.ts"
import { createWrites } from "./write.ts"

export interface StartContext {
  readonly log: Logger
  readonly now: () => Date
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds of a clock that only goes forward. */
  readonly milliseconds?: () => number
  /** Where it is one of several threads. */
  readonly worker?: AsWorker
}

/** What a worker has of all of them. */
export interface AsWorker {
  /** Other threads listen there too. */
  readonly addresses: readonly Address[]
  readonly registry: Registry
  /** The metrics of all. */
  readonly exposition: Exposition
  /** Of senders, which hold in all of them together. */
  readonly limits: Limits
  /** Called with what the others are to remember for resends. */
  readonly share: (entry: SharedEntry) => void
  /** Called once, with what is to be called with what the others share. */
  readonly receive: (put: (entry: SharedEntry) => void) => void
}

export type RunningTenancyProxy = Awaited<ReturnType<typeof startTenancyProxy>>

/** Receives, splits and forwards until it is closed. Throws UsageError or ConfigurationError with every fault. */
export async function startTenancyProxy(
  values: TenancyProxyValues,
  { log, now, env, milliseconds = () => performance.now(), worker }: StartContext,
) {
  const listening = { ...listeningOf(values), ...(worker && { addresses: worker.addresses }) }
  requireRoom(values)
  if (values.adminListenAddress !== undefined) requireApart(listening.addresses, values.adminListenAddress)
  const registry = worker?.registry ?? createRegistry({ busy: true })
  const metrics = createProxyMetrics(registry)
  const limits = worker?.limits ?? ownLimits
  const room = createRoom({ most: values.bytesInFlight, share: values.senderBytesInFlight }, limits)
  const resends = createResends(
    { time: values.resendTime * 1000, bytes: values.resendBytes },
    milliseconds,
    worker?.share,
  )
  worker?.receive(resends.put)
  metrics.watch(room, resends)
  const opened: Closable[] = []
  try {
    const forwarding = await openForward(forwardConfig(values), { log, registry, metrics: metrics.forward })
    opened.unshift(forwarding)
    const routing = await openRouting(values, { log, registry, env, now })
    opened.unshift(routing)
    const { webConfigFile, sendersFile, sitesFile } = values
    const noCertificates = () => whyNoCertificates(webConfigFile)
    const senders =
      sendersFile === undefined && sitesFile === undefined
        ? undefined
        : await openAdmission(
            { senders: sendersFile, sites: sitesFile },
            { log, registry, env, now, milliseconds, limits, noCertificates },
          )
    if (senders !== undefined) opened.unshift(senders)
    const writes = createWrites({
      admit: senders?.admit ?? admitEverybody,
      routing: () => routing.current(),
      split: (message, version, admitted, to) => splitMessage(message, version, admitted, to, values.decodedBytes),
      forward: forwarding.forward,
      ...{ resends, room, metrics, log, now: milliseconds },
      body: bodyLimit(values),
      decodedBytes: values.decodedBytes,
      limitedTime: values.limitedTime * 1000,
    })
    if (senders === undefined && webConfigFile === undefined && isReachable(listening)) {
      const how = "give --senders a file, or --web.config.file one with users or client certificates"
      log.warn({ todo: how }, "everybody who can reach this address may write for every tenant")
    }
    let isClosing = false
    const notReady = (): string | undefined => {
      if (isClosing) return "Ending."
      const state = routing.current()
      return "notReady" in state ? state.notReady : undefined
    }
    const isAdmin = values.adminListenAddress === undefined
    if (values.adminListenAddress !== undefined && worker === undefined) {
      const admin = await serve({
        addresses: [values.adminListenAddress],
        flag: "--admin.listen-address",
        webConfigFile: undefined,
        ...{ log, registry },
        routes: (app) => addAdmin(app, registry, notReady),
      })
      opened.unshift(admin)
    }
    const handle = createRequests({
      write: writes.handle,
      metrics: isAdmin ? (worker?.exposition ?? expositionOf(registry)) : undefined,
      notReady,
    })
    const server = await serve({
      ...{ addresses: listening.addresses, flag: listening.flag, webConfigFile, log, registry },
      ...(senders === undefined
        ? {}
        : { refuseBasicAuth: "senders' tokens come in the same header; remove the users" }),
      open: ["/-/healthy", "/healthz", "/livez", "/-/ready", "/readyz"],
      asksForBodies: true,
      reusePort: worker !== undefined,
      // every path is received at, so the router sees one and has nothing to refuse
      rewriteUrl: () => "/",
      routes: (app) => {
        app.addHook("onRequest", ({ raw, originalUrl }, reply) => {
          raw.url = originalUrl
          handle(raw, reply.hijack().raw)
        })
      },
    })
    opened.unshift(server)
    return {
      addresses: server.addresses,
      notReady,
      async reload(): Promise<void> {
        await Promise.all([forwarding.reload(), routing.reload(), senders?.reload()])
        await server.reload()
      },
      async close(): Promise<void> {
        isClosing = true
        writes.end()
        await closeAll(opened)
      },
    }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}
