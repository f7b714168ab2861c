import { Counter, Gauge, type Histogram, type Registry } from "prom-client"

/** How a request ended. */
interface FinishedRequest {
  readonly code: number
  readonly reason: string
  readonly seconds: number
  readonly bytes: number
  readonly series: number | undefined
  readonly source: string | undefined
}

/** Counts in plain numbers, thousands of times a second: prom-client, which looks every label up, gets them when it is read. */
export class ClientMetrics {
  readonly name: string
  inFlight: number | undefined
  bytes: number | undefined
  series: number | undefined
  readonly outcomes: { readonly code: number; readonly reason: string; count: number }[] = []
  readonly sources = new Map<string, number>()
  readonly #duration: Histogram.Internal<"client">
  readonly #finished: (client: ClientMetrics) => void

  constructor(name: string, duration: Histogram<"client">, finished: (client: ClientMetrics) => void) {
    this.name = name
    this.#duration = duration.labels(name)
    this.#finished = finished
  }

  /** A request is in flight, until `leave` is called. */
  enter(): void {
    this.inFlight = (this.inFlight ?? 0) + 1
  }

  leave(): void {
    this.inFlight = (this.inFlight ?? 0) - 1
  }

  /** Counts a request of which nothing else is known. */
  count(code: number, reason: string): void {
    const outcome = this.outcomes.find((one) => one.code === code && one.reason === reason)
    if (outcome === undefined) this.outcomes.push({ code, reason, count: 1 })
    else outcome.count++
  }

  finish({ code, reason, seconds, bytes, series, source }: FinishedRequest): void {
    this.count(code, reason)
    this.#duration.observe(seconds)
    if (this.name !== "") this.bytes = (this.bytes ?? 0) + bytes
    if (series !== undefined) this.series = (this.series ?? 0) + series
    if (source !== undefined) this.sources.set(source, (this.sources.get(source) ?? 0) + 1)
    this.#finished(this)
  }
}

interface ClientFamily {
  readonly name: string
  readonly help: string
  /** Besides `client`. Their values are bounded: HTTP statuses, codes of errors and endings of request-record.ts. */
  readonly labels?: readonly string[]
  /** Each with the labels' values. */
  readonly values: (client: ClientMetrics) => readonly (readonly [number | undefined, ...(string | number)[]])[]
}

const FAMILIES: readonly ClientFamily[] = [
  {
    name: "requests_in_flight",
    help: "Requests in flight.",
    values: ({ inFlight }) => [[inFlight]],
  },
  {
    name: "requests_total",
    help: "Requests by client (empty: not authenticated), status sent, and why.",
    labels: ["code", "reason"],
    values: ({ outcomes }) => outcomes.map(({ code, reason, count }) => [count, code, reason]),
  },
  {
    name: "response_bytes_total",
    help: "Bytes of federated responses as sent, mostly compressed.",
    values: ({ bytes }) => [[bytes]],
  },
  {
    name: "response_series_total",
    help: "Series of federated responses that were sent whole.",
    values: ({ series }) => [[series]],
  },
  {
    name: "responses_total",
    help: "Federated responses by source: a request upstream, joined with one in flight, or reused.",
    labels: ["source"],
    values: ({ sources }) => [...sources].map(([source, count]) => [count, source]),
  },
]

/** Shows what was counted of these clients, as long as they are among them. `prefix`: of the names, such as `fedstack_proxy`. */
export function showClients(registry: Registry, prefix: string, clients: ReadonlyMap<string, ClientMetrics>): void {
  for (const { name, help, labels = [], values } of FAMILIES) {
    const options = {
      name: `${prefix}_${name}`,
      help,
      labelNames: ["client", ...labels],
      registers: [],
      collect(this: Pick<Counter, "reset"> & { inc(labels: Record<string, string | number>, value: number): void }) {
        this.reset()
        for (const client of clients.values()) {
          for (const [value, ...texts] of values(client)) {
            const own = labels.map((label, index) => [label, texts[index] ?? ""])
            if (value !== undefined) this.inc({ client: client.name, ...Object.fromEntries(own) }, value)
          }
        }
      },
    }
    registry.registerMetric(name.endsWith("_total") ? new Counter(options) : new Gauge(options))
  }
}
