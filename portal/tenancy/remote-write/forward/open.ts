import type { Registry } from "prom-client"
import type { Closable } from "#core/closable.ts"
import { openClientCredentials } from "#core/http/client-credentials.ts"
import { rememberHealth, showUpstream } from "#core/http/upstream-health.ts"
import type { Logger } from "#core/log/logger.ts"
import { backoff, pause } from "#core/retry/backoff.ts"
import { createForward } from "./forward.ts"
import type { ForwardMetrics } from "./metrics.ts"
import type { Forward } from "./outcome.ts"
import type { ForwardConfig } from "./settings.ts"
import { openUpstreams } from "./upstreams.ts"

export interface Forwarding extends Closable {
  readonly forward: Forward
  /** Reads the files of credentials again. */
  reload(): Promise<void>
  /** Looks at upstreams that had no request lately; it is done every 15 seconds by itself. */
  readonly look: () => Promise<void>
}

interface OpenContext {
  readonly log: Logger
  readonly registry: Registry
  readonly metrics: ForwardMetrics
  /** Milliseconds since 1970, for dates of upstreams. */
  readonly now?: () => number
  /** Milliseconds of a clock that only goes forward. */
  readonly milliseconds?: () => number
}

/** Seconds: less than most servers and load balancers keep an idle connection. */
const KEEP_ALIVE = 30
/** Seconds: where an address does not respond at all, there is time left for the next one. */
const CONNECT_TIMEOUT = 3
/** Seconds between two looks at upstreams. */
const LOOK = 15

/** Connections to the upstreams; closing ends what is in flight. Throws ConfigurationError where a file cannot be used. */
export async function openForward(
  { urls, headers, credentials: files, bounds }: ForwardConfig,
  { log, registry, metrics, now = Date.now, milliseconds = () => performance.now() }: OpenContext,
): Promise<Forwarding> {
  const credentials = await openClientCredentials({
    ...{ ...files, connectTimeout: Math.min(CONNECT_TIMEOUT, bounds.timeout), keepAlive: KEEP_ALIVE, log, registry },
  })
  const health = rememberHealth(milliseconds, (failures) => backoff(failures) * 1000)
  const ending = new AbortController()
  const { send, lookAtIdle } = openUpstreams({ urls, health, sending: () => credentials.current(), headers, log })
  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      await pause(LOOK, ending.signal)
      if (!ending.signal.aborted) await lookAtIdle(ending.signal)
    }
  }
  const running = run()
  const { forward, queues } = createForward({ bounds, headers, send, metrics, log, now, milliseconds })
  metrics.watch({
    queues,
    upstreams: () => [...health.states()].map(([href, isUp]) => [showUpstream(new URL(href)), isUp] as const),
  })
  return {
    forward,
    reload: () => credentials.reload(),
    look: () => lookAtIdle(ending.signal),
    async close() {
      ending.abort()
      await running
      await credentials.close()
    },
  }
}
