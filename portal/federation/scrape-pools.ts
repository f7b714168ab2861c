import { z } from "zod"
import { parse } from "yaml"
import type { Logger } from "#core/log/logger.ts"
import { logChanges } from "#core/log/changes.ts"
import { fetchText, RequestFailed } from "#core/http/client.ts"
import { pause } from "#core/retry/backoff.ts"
import type { ShardMetrics } from "./metrics.ts"
import { below, type PrometheusServer } from "./prometheus.ts"

/** Seconds that Prometheus may take to begin with its jobs, also when it starts again. */
const SETTLED = 15
const SOON = 2
const LATER = 60
const DEADLINE = 10
const LIMIT = 4 * 2 ** 20

const config = z.object({ scrape_configs: z.array(z.object({ job_name: z.coerce.string() })) })
const pools = z.object({ data: z.object({ scrapePools: z.array(z.string()) }) })

/** Names of the jobs in a configuration of an earlier process; none where it is not understood. */
export const jobsIn = (content: string): readonly string[] =>
  config.safeParse(parse(content)).data?.scrape_configs.map(({ job_name }) => job_name) ?? []

/**
 * Compares, until `signal` is aborted, what Prometheus scrapes with its configuration. A job is left out, while the
 * configuration counts as accepted, where a file of it cannot be read: Prometheus reports that in its log alone.
 */
export async function watchScrapePools(
  server: PrometheusServer,
  jobs: readonly string[],
  { metrics, log, signal }: { metrics: ShardMetrics; log: Logger; signal: AbortSignal },
): Promise<void> {
  const report = logChanges((names?: string) => {
    if (names === undefined) log.info({}, "Prometheus scrapes every job")
    else
      log.warn(
        { jobs: names },
        "Prometheus does not scrape these jobs: its log says which of their files it cannot use",
      )
  })
  let missingSince: number | undefined
  while (!signal.aborted) {
    const found = await poolsOf(server, signal)
    const missing = jobs.filter((job) => found?.has(job) === false)
    missingSince = missing.length === 0 ? undefined : (missingSince ?? performance.now())
    const settles = missingSince !== undefined && performance.now() - missingSince < SETTLED * 1000
    if (found !== undefined && !settles) {
      metrics.jobsNotScraped.set(missing.length)
      report(missing.length === 0 ? undefined : missing.join(", "))
    }
    await pause(settles ? SOON : LATER, signal)
  }
}

/** Undefined where Prometheus does not say: it may be down, which is reported elsewhere, or restrict its API. */
async function poolsOf(
  { url, sending }: PrometheusServer,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const { agent: dispatcher, headers } = sending()
  try {
    const options = { deadline: DEADLINE, limit: LIMIT, signal, dispatcher, headers }
    const { status, body } = await fetchText(below(url, "/api/v1/scrape_pools"), options)
    return status === 200 ? new Set(pools.parse(JSON.parse(body)).data.scrapePools) : undefined
  } catch (error) {
    if (error instanceof RequestFailed || error instanceof SyntaxError || error instanceof z.ZodError) return undefined
    throw error
  }
}
