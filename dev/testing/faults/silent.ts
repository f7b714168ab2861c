import type { IncomingMessage } from "node:http"
import type { FaultySite } from "./fault.ts"
import { httpSite, METRICS, respondWithUsage, usageLine } from "./servers.ts"

const metrics = (make: () => string): Promise<FaultySite> =>
  httpSite((_, response) => response.writeHead(200, METRICS).end(make()))

export const nothing = (): Promise<FaultySite> => metrics(() => "")
/** It delivers, and its entry has a rule for series of another name. */
export const allDropped = (): Promise<FaultySite> =>
  httpSite((_, response) => respondWithUsage(response), {
    entry: { metric_relabel_configs: [{ action: "keep", source_labels: ["__name__"], regex: "project_vcpus_.*" }] },
  })
/** Its clock is an hour ahead, which the header Date shows too. */
export const anHourAhead = (): Promise<FaultySite> =>
  httpSite((_, response) => {
    const date = new Date(Date.now() + 3_600_000).toUTCString()
    response.writeHead(200, { ...METRICS, date }).end(usageLine(3600))
  })
/** Its clock is right, its samples are two hours old. */
export const twoHoursOld = (): Promise<FaultySite> => metrics(() => usageLine(-7200))
/** The same series twice, at the same time, with different values. */
export const duplicates = (): Promise<FaultySite> =>
  metrics(() => {
    const at = Date.now()
    const line = (value: number): string => `project_vcpu_usage{job="project_usages",project_name="a"} ${value} ${at}\n`
    return line(1) + line(2)
  })
/** It says that it is the site OTHER. */
export const otherSitesLabels = (): Promise<FaultySite> =>
  metrics(() => usageLine().replace("{", `{site="${OTHER}",location="${OTHER}",`))
export const OTHER = "site-a"

/** It responds to everybody but Prometheus. */
export const hatesPrometheus = (): Promise<FaultySite> =>
  httpSite((request, response) => (isScrape(request) ? response.destroy() : respondWithUsage(response)))

/** Each second scrape fails. */
export const failsNowAndThen = (): Promise<FaultySite> => {
  let scrapes = 0
  const isTurn = (request: IncomingMessage): boolean => isScrape(request) && (scrapes += 1) % 2 === 0
  // Prometheus itself repeats a request to which a kept connection ends
  return httpSite(
    (request, response) => (isTurn(request) ? response.writeHead(500).end() : respondWithUsage(response)),
    { entry: { interval: "6s" } },
  )
}

const isScrape = ({ headers }: IncomingMessage): boolean => headers["user-agent"]?.startsWith("Prometheus/") === true

/** Just within its timeout. */
export const slow = (): Promise<FaultySite> =>
  httpSite((_, response) => void setTimeout(() => respondWithUsage(response), 2400).unref(), {
    entry: { interval: "3s", timeout: "3s" },
  })

/** Nothing fails. Its first scrape is far away. */
export const rarelyScraped = (): Promise<FaultySite> =>
  httpSite((_, response) => respondWithUsage(response), { entry: { interval: "1d", timeout: "1s" } })

/** Nothing fails. The token is one that says itself when it ends. */
export const tokenEndsSoon = (): Promise<FaultySite> => {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")
  const token = `${part({ alg: "ES256", typ: "at+jwt" })}.${part({ iat: now - 7200, exp: now + 600 })}.c2lnbmF0dXJl`
  return httpSite((_, response) => respondWithUsage(response), {
    entry: { token: { file: "fault-jwt.token" } },
    files: { "fault-jwt.token": `${token}\n` },
  })
}

/** What a scrape wants, so that tests see that they would notice. */
export const healthy = (): Promise<FaultySite> => metrics(() => usageLine())
