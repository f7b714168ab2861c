import { logChangesOfEach } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { listed } from "./drift-log.ts"
import { readIn, type ReadOutcome } from "./reading.ts"
import { type OpaTarget, serviceKey } from "./target.ts"

/**
 * Returns a function that logs which services have OPAs of which whole documents are read because they refuse better
 * methods, once for each reason, and when that is over. `refusalOf` is why a better method than the one used is refused.
 */
export function logWholeReads(log: Logger, refusalOf: (target: OpaTarget) => string | undefined) {
  let pods = new Map<string, readonly string[]>()
  const report = logChangesOfEach((service: string, reason: string | undefined) => {
    if (reason === undefined) log.info({ service }, "OPAs are no longer read whole")
    else
      log.warn(
        { service, pods: listed(pods.get(service) ?? []), reason },
        "OPAs are read whole, for they refuse queries and the package: they accept no write meanwhile, and replicas are compared by counts alone",
      )
  })
  return (outcomes: readonly ReadOutcome[]): void => {
    const services = Map.groupBy(readIn(outcomes), ({ target }) => serviceKey(target))
    const reasons = new Map<string, string | undefined>()
    pods = new Map()
    for (const [service, readings] of services) {
      const whole = readings.filter(
        ({ target, result }) => result.method === "documents" && refusalOf(target) !== undefined,
      )
      pods.set(
        service,
        whole.map(({ target }) => target.pod),
      )
      const [first] = whole
      reasons.set(service, first && refusalOf(first.target))
    }
    report(reasons)
  }
}
