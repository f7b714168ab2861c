import type { IncomingMessage, ServerResponse } from "node:http"
import type { Registry } from "prom-client"
import { authenticate } from "#core/auth/authenticate.ts"
import { type Closable, closeAll } from "#core/closable.ts"
import { throttleFailures } from "#core/limits/failure-throttle.ts"
import { limitVerifications } from "#core/limits/verifications.ts"
import type { Limits } from "#core/limits/shared-limits.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Admit, Admitted } from "./admit.ts"
import { senderPaused, unauthenticated } from "./errors.ts"
import type { SenderFiles } from "./senders/entries.ts"
import { createSenderGate } from "./senders/gate.ts"
import { createSenderMetrics } from "./senders/metrics.ts"
import { openSenders } from "./senders/open.ts"
import type { Sender, Senders } from "./senders/sender.ts"
import { showExpiry } from "./senders/expiry-metric.ts"

export interface AdmitSendersContext {
  readonly log: Logger
  readonly registry: Registry
  /** For tokens that are taken from variables. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  /** Milliseconds of a clock that only goes forward. */
  readonly milliseconds: () => number
  /** Of all threads. */
  readonly limits: Limits
  /** Why this server verifies no client certificates, in half a sentence; undefined where it does. */
  readonly noCertificates: () => Promise<string | undefined>
}

export interface AdmittingSenders extends Closable {
  readonly admit: Admit
  reload(): Promise<void>
}

/** Admits the senders of the files, and of a request nothing before that. Throws ConfigurationError with every fault of them. */
export async function openAdmission(files: SenderFiles, context: AdmitSendersContext): Promise<AdmittingSenders> {
  const { log, registry, now, milliseconds } = context
  const gate = createSenderGate(milliseconds, context.limits)
  const throttle = throttleFailures(milliseconds, log)
  const beginVerification = limitVerifications(milliseconds)
  const metrics = createSenderMetrics(registry, () => now().getTime())
  const showEnds = showExpiry(registry)
  const show = (next: Senders): void => {
    metrics.list(next)
    showEnds(next)
  }
  const senders = await openSenders(files, {
    ...context,
    changed(next) {
      gate.keep(new Set(next.senders.map(({ name }) => name)))
      show(next)
    },
  })
  show(senders.current())

  async function admit(request: IncomingMessage, response: ServerResponse): Promise<Admitted | undefined> {
    const identity = await authenticate<Sender>(request, senders.current(), now(), beginVerification)
    if (response.destroyed) return undefined
    if ("owner" in identity) return enter(identity.owner)
    if (identity.ofConnection === true) response.shouldKeepAlive = false
    if (throttle.failed(request.socket.remoteAddress) || identity.throttled === true) {
      throttle.refuse(response)
      return undefined
    }
    log.warn({ remote: request.socket.remoteAddress, reason: identity.reason }, "a sender was not authenticated")
    throw unauthenticated({})
  }

  function enter(sender: Sender): Admitted {
    if (sender.paused !== undefined) throw senderPaused({ reason: sender.paused })
    const leave = gate.enter(sender)
    return {
      name: sender.name,
      sender,
      bytesInFlight: sender.limits.bytesInFlight,
      take: ({ samples, histograms }) => gate.take(sender, samples + histograms),
      wrote: (accepted, setAside) => metrics.wrote(sender.name, accepted, setAside),
      [Symbol.dispose]: leave,
    }
  }

  return {
    admit,
    reload: () => senders.reload(),
    close: () => closeAll([senders, { close: () => Promise.resolve(throttle.close()) }]),
  }
}
