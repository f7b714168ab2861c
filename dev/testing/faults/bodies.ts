import { deflateSync, gzipSync } from "node:zlib"
import type { FaultySite } from "./fault.ts"
import { httpSite, METRICS, usageLine } from "./servers.ts"

type Body = string | Uint8Array
type Headers = Readonly<Record<string, string>>

const body = (make: () => Body, headers: Headers = METRICS, additions: Parameters<typeof httpSite>[1] = {}) =>
  httpSite((_, response) => response.writeHead(200, headers).end(make()), additions)

const LOGIN = "<!doctype html>\n<html><body>Sign in</body></html>\n"
const HTML = { "content-type": "text/html; charset=utf-8" } as const

export const loginPage = (): Promise<FaultySite> => body(() => LOGIN, HTML)
/** A login page that says that it is metrics. */
export const loginPageAsMetrics = (): Promise<FaultySite> => body(() => LOGIN)
export const json = (): Promise<FaultySite> =>
  body(() => '{"status":"success"}\n', { "content-type": "application/json" })
/** The content type is none; Prometheus 2 takes it as text. */
export const badType = (): Promise<FaultySite> => body(() => usageLine(), { "content-type": "text/plain; version" })

export const badGzip = (): Promise<FaultySite> =>
  body(() => "this is not gzip", { ...METRICS, "content-encoding": "gzip" })
export const cutGzip = (): Promise<FaultySite> =>
  body(() => gzipSync(usageLine().repeat(100)).subarray(0, 20), { ...METRICS, "content-encoding": "gzip" })
/** An encoding that nobody asked for. */
export const deflate = (): Promise<FaultySite> =>
  body(() => deflateSync(usageLine()), { ...METRICS, "content-encoding": "deflate" })

/** The second line has no value. */
export const noValue = (): Promise<FaultySite> => body(() => `${usageLine()}project_mb_usage{project_name="a"}\n`)
export const decimalComma = (): Promise<FaultySite> => body(() => `${usageLine()}project_mb_usage 1,5\n`)
export const dashInName = (): Promise<FaultySite> => body(() => `${usageLine()}project-mb-usage 1\n`)
export const badUtf8 = (): Promise<FaultySite> =>
  body(() => Buffer.concat([Buffer.from('a{b="'), Buffer.of(0xff), Buffer.from('"} 1\n')]))
export const openMetricsWithoutEnd = (): Promise<FaultySite> =>
  body(() => "# TYPE a gauge\na 1\n", { "content-type": "application/openmetrics-text; version=1.0.0" })
export const labelTwice = (): Promise<FaultySite> =>
  body(() => `project_vcpu_usage{project_name="a",project_name="b"} 1 ${Date.now()}\n`)

const BYTES = 65_536
export const tooManyBytes = (): Promise<FaultySite> =>
  body(() => `# ${"x".repeat(BYTES)}\n${usageLine()}`, METRICS, { limits: { response_bytes: `${BYTES}B` } })
const SERIES = 400
export const tooManySeries = (): Promise<FaultySite> =>
  body(() => Array.from({ length: SERIES + 1 }, (_, index) => usageLine(0, `p${index}`)).join(""), METRICS, {
    limits: { series: SERIES },
  })
/** A limit of a base configuration of one's own. */
export const labelTooLong = (): Promise<FaultySite> =>
  body(() => `project_vcpu_usage{project_name="${"v".repeat(600)}"} 1 ${Date.now()}\n`, METRICS, {
    global: { label_value_length_limit: 500 },
  })

/** More than Go reads after a body that is chunked; others read it. */
export const longTrailer = (): Promise<FaultySite> =>
  httpSite((_, response) => {
    response.writeHead(200, { ...METRICS, trailer: "x-long" }).write(usageLine())
    response.addTrailers({ "x-long": "x".repeat(8_192) })
    response.end()
  })
