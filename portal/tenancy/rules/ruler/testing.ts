import type { TestContext } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { openRuler, type OpenRuler, type RulerConfig } from "./open-ruler.ts"
import { createReadListing } from "./read-listing.ts"

/** Of Cortex at this URL, without credentials. */
export const rulerConfig = (url: URL): RulerConfig => ({
  ...{ name: "ruler", url, distributor: url, type: "cortex", prefix: "/prometheus", timeout: 30 },
  limits: { groups: undefined, rulesPerGroup: undefined },
  credentials: {},
})

/** Closed after the test. */
export async function openTestRuler(
  t: TestContext,
  url: URL,
  options: Partial<RulerConfig> & { readonly milliseconds?: () => number } = {},
): Promise<OpenRuler> {
  const { milliseconds, ...config } = options
  const log = createLogger({ level: "error", format: "logfmt" }, "rules", (line) => t.diagnostic(line))
  const ruler = await openRuler(
    { ...rulerConfig(url), ...config },
    { log, registry: createRegistry(), readListing: createReadListing(), ...(milliseconds && { milliseconds }) },
  )
  t.after(() => ruler.close())
  return ruler
}
