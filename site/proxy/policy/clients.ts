import type { Path } from "#core/config/config-file.ts"
import type { Fault } from "#core/errors.ts"
import { printSelector } from "#core/promql/selector.ts"
import type { Grant, PolicyFile } from "./schema.ts"
import type { SelectorReader } from "#core/promql/selector-reader.ts"
import type { Client, ClientLimits, Shared } from "./types.ts"

const DEFAULTS: ClientLimits = {
  concurrent: 64,
  requestsPerSecond: 20,
  responseBytes: 256 * 2 ** 20,
  series: 1_000_000,
  upstreamTimeout: 30,
}

export interface ClientFaults {
  readonly faults: Fault[]
  readonly warnings: Fault[]
}

/** The client of one entry, at `path` of the policy. */
export async function readClient(
  name: string,
  grant: Grant,
  path: Path,
  where: (path: Path) => string,
  defaults: PolicyFile["limits"],
  selectors: SelectorReader,
  { faults, warnings }: ClientFaults,
): Promise<Client> {
  const shared: Shared[] = []
  for (const [index, text] of grant.match.entries()) {
    const at = where([...path, "match", index])
    const judged = await selectors.read(text)
    if ("fault" in judged) {
      faults.push({ where: at, message: judged.fault })
      continue
    }
    if (judged.everything && grant.share_everything) {
      warnings.push({ where: at, message: `${printSelector(judged.selector)} SHARES EVERYTHING with ${name}` })
    } else if (judged.everything) {
      const message = `shares whatever a target exposes; narrow it, or say share_everything: true beside match`
      faults.push({ where: at, message })
    }
    shared.push({ selector: judged.selector, where: at })
  }
  return { name, shared, enforce: grant.enforce, limits: limitsOf(grant.limits, defaults), where: where(path) }
}

function limitsOf(own: Grant["limits"], general: PolicyFile["limits"]): ClientLimits {
  const { concurrent, requests_per_second, response_bytes, series, upstream_timeout } = { ...general, ...own }
  return {
    concurrent: concurrent ?? DEFAULTS.concurrent,
    requestsPerSecond: requests_per_second ?? DEFAULTS.requestsPerSecond,
    responseBytes: response_bytes ?? DEFAULTS.responseBytes,
    series: series ?? DEFAULTS.series,
    upstreamTimeout: upstream_timeout ?? DEFAULTS.upstreamTimeout,
  }
}
