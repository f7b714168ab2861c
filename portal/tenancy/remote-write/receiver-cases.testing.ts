import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseTenant } from "../tenants/parse-tenant.ts"
import {
  type FakeUpstream,
  plainSeries,
  type PlainSeries,
  type Respond,
  type Response,
  status,
  unusedSymbols,
} from "./testing.ts"

type Headers = Readonly<Record<string, string>>

/** A request and what a receiver has to do with it; `recipe` says in words what `body` (base64) is. */
export interface ReceiverCase {
  readonly id: string
  /** MUST, SHOULD or MAY of the public compliance suite, or OWN. */
  readonly level: string
  /** Of the body. */
  readonly version: 1 | 2
  readonly request: { readonly method: string; readonly headers: Headers }
  readonly recipe: { readonly proto?: "v1" | "v2" } | null
  readonly body: string | null
  readonly expect: {
    readonly status: string | readonly number[]
    readonly headers?: Headers
    readonly headers_max?: Headers
    readonly headers_want?: Headers
    readonly headers_absent?: readonly string[]
    readonly upstream?: string
    readonly resend?: string
  }
  readonly upstream_answers?: Readonly<Record<string, UpstreamAnswer>>
}

interface UpstreamAnswer {
  readonly status?: number
  readonly headers?: Headers
  readonly body?: string
  readonly error?: string
}

export const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, "testdata/receiver-cases.json"), "utf8"),
) as readonly ReceiverCase[]

export function respondAs({ status: code, headers = {}, body = "", error }: UpstreamAnswer): Respond {
  if (error === "timeout") return () => undefined
  if (error !== undefined) return (response) => void response.destroy()
  return status(code ?? 500, body, { ...headers })
}

export function checkStatus({ expect }: ReceiverCase, actual: number): void {
  const { status: expected } = expect
  if (typeof expected !== "string") return assert.ok(expected.includes(actual), `${actual}, not ${expected.join()}`)
  const classes = [...expected.matchAll(/\b([245])xx/g)].map(([, digit]) => Number(digit))
  const isAsWanted = expected.startsWith("not 2xx")
    ? actual >= 300
    : classes.includes(Math.floor(actual / 100)) || (/\b400\b/.test(expected) && actual === 400)
  assert.ok(isAsWanted, `${actual}, not ${expected}`)
}

export function checkHeaders({ expect }: ReceiverCase, { headers }: Response): void {
  for (const [name, value] of Object.entries({ ...expect.headers, ...expect.headers_want }))
    assert.equal(headers[name], value, name)
  for (const [name, most] of Object.entries(expect.headers_max ?? {}))
    assert.ok(Number(headers[name] ?? 0) <= Number(most), `${name}: ${String(headers[name])}`)
  for (const name of expect.headers_absent ?? []) assert.equal(headers[name], undefined, name)
}

/** What each tenant has received, in an order of its own. */
export function receivedOf({ received }: FakeUpstream): Readonly<Record<string, readonly string[]>> {
  const tenants = Object.groupBy(received, ({ tenant }) => tenant)
  for (const { version, body } of received) if (version === 2) assert.deepEqual(unusedSymbols(body), [])
  const series = Object.entries(tenants).map(([tenant, requests = []]) => {
    // one whose connection broke is sent once more: it may have been closed while it was idle
    const bodies = new Map(requests.map((one) => [one.body.toString("base64"), one]))
    const all = [...bodies.values()].flatMap(({ body, version }) => plainSeries(body, version).map(show))
    return [tenant, all.toSorted()] as const
  })
  // metadata of version 1 may come alone
  return Object.fromEntries(series.filter(([, all]) => all.length > 0))
}

/**
 * What each tenant is to receive of a body, found out in the simplest way: decoded, and each series by itself. What has no
 * valid tenant goes nowhere; `isAccepted` is what else there is to a series.
 */
export function expectedOf(
  { body, version }: ReceiverCase,
  isAccepted: (series: PlainSeries) => boolean = () => true,
): Readonly<Record<string, readonly string[]>> {
  const tenants = new Map<string, string[]>()
  for (const series of plainSeries(Buffer.from(body ?? "", "base64"), version)) {
    const { tenant_id: label, ...labels } = series.labels
    const tenant = parseTenant(label === undefined || label === "" ? "0" : label)
    if (typeof tenant !== "string" || !isAccepted(series)) continue
    tenants.set(tenant, [...(tenants.get(tenant) ?? []), show({ ...series, labels })])
  }
  return Object.fromEntries([...tenants].map(([tenant, series]) => [tenant, series.toSorted()]))
}

/** Empty labels are no labels, in Prometheus' data model. */
function show({ labels, ...series }: PlainSeries): string {
  const filled = Object.entries(labels).filter(([, value]) => value !== "")
  return JSON.stringify({ labels: filled, ...series })
}
