import type { Client } from "#core/federation/client.ts"
import type { Source } from "#core/federation/source.ts"
import type { Logger } from "#core/log/logger.ts"
import { queryTimeout, upstreamTimeout } from "./errors.ts"
import type { ProxyMetrics } from "./metrics.ts"
import type { Policy } from "./policy/types.ts"
import { openUpstream } from "./upstream/fetch.ts"
import { rememberHealth } from "#core/http/upstream-health.ts"
import { targetOf, type UpstreamRequest, upstreamQuery, upstreamRequest } from "./upstream/request.ts"

/** The site's Prometheus, as what clients are served from. */
export function openPrometheus(
  metrics: ProxyMetrics,
  log: Logger,
  milliseconds: () => number,
): Source<Policy, Client, string, UpstreamRequest> {
  const health = rememberHealth(milliseconds)
  const upstream = openUpstream(health, metrics, log)
  metrics.watchUpstreams(health)
  return {
    fetch: upstream.fetch,
    apply(policy) {
      health.keep(policy.upstreams)
      upstream.keep(policy.accesses)
      const target = targetOf(policy)
      return {
        query: (_, selectors) => upstreamQuery(selectors),
        request: (query, format, last) => upstreamRequest(target, query, format, last),
        workedSince: (since) => target.upstreams.some((one) => health.workedSince(one, since)),
      }
    },
    late: (seconds, works) => (works ? queryTimeout({ seconds }) : upstreamTimeout({ seconds })),
    close: () => upstream.close(),
  }
}
