import type { Labels } from "#core/exposition.ts"
import type { UsageMetrics } from "../metrics.ts"
import type { Api } from "./api.ts"

/** The same API, whose requests show in the metrics. */
export function measured(api: Api, cloud: Labels, metrics: UsageMetrics): Api {
  return {
    cloud: api.cloud,
    region: api.region,
    async get(service, path, options) {
      const begin = performance.now()
      let outcome: "answered" | "failed" = "failed"
      try {
        const answer = await api.get(service, path, options)
        outcome = "answered"
        return answer
      } finally {
        metrics.request(cloud, service, outcome, (performance.now() - begin) / 1000)
      }
    },
  }
}
