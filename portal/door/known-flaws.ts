import { setTimeout as delay } from "node:timers/promises"
import { z } from "zod"
import { explain } from "#core/errors.ts"
import { fetchText } from "#core/http/client.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { below } from "../federation/prometheus.ts"
import type { Passed } from "./passed.ts"

/**
 * Why the pages of this version are to be distrusted; undefined for those without a known flaw of that kind. The last ones
 * were mended in 3.5.5 and 3.13.0 (CVE-2026-40179, GHSA-fw8g-cg8f-9j28, CVE-2026-44990, CVE-2026-53606).
 */
export function flawOf(version: string): string | undefined {
  const [, ...numbers] = /^v?(\d{1,3})\.(\d{1,3})\.(\d{1,3})/.exec(version) ?? []
  const [major, minor, patch] = numbers.map(Number)
  if (major === undefined || minor === undefined || patch === undefined) return undefined
  if (major > 3 || (major === 3 && (minor >= 13 || (minor === 5 && patch >= 5)))) return undefined
  return `The pages of Prometheus ${major}.${minor}.${patch} may run scripts that a site puts into its labels: use 3.5.5, or 3.13 or newer.`
}

const buildInfo = z.object({ data: z.object({ version: z.string() }) })

/** Seconds between looks at the version, and where Prometheus did not say. */
const EVERY = 600
const AGAIN = 30

/** Looks at the version of Prometheus from time to time, until `signal` is aborted; the flaw of it is logged, and kept. */
export function watchFlaws({ url, sending }: Pick<Passed, "url" | "sending">, log: Logger, signal: AbortSignal) {
  let flaw: string | undefined
  const logged = logChanges<string>((reason) => {
    if (reason !== undefined)
      log.warn({ reason }, "Prometheus has a known flaw, the content security policy alone protects")
  })
  async function look(): Promise<boolean> {
    const { agent: dispatcher, headers } = sending()
    try {
      const address = below(url, "/api/v1/status/buildinfo")
      const { status, body } = await fetchText(address, { deadline: 5, limit: 65_536, signal, dispatcher, headers })
      if (status !== 200) return false
      flaw = flawOf(buildInfo.parse(JSON.parse(body)).data.version)
      logged(flaw)
      return true
    } catch (error) {
      log.debug({ reason: explain(error) }, "version of Prometheus not found")
      return false
    }
  }
  async function watch(): Promise<void> {
    while (!signal.aborted) {
      const seconds = (await look()) ? EVERY : AGAIN
      await delay(seconds * 1000, undefined, { signal, ref: false })
    }
  }
  watch().catch(() => undefined) // it ends with the signal
  return () => flaw
}
