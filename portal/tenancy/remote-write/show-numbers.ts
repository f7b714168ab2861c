import { Counter, Gauge, type Registry } from "prom-client"

type Row = readonly [value: number, ...labels: (string | number)[]]

/** Of which more and less may be. */
const GAUGE = /_(?:in_flight|entries|memory_bytes|waiting|waiting_bytes|up|timestamp_seconds)$/

/** Shows what is counted in plain numbers, which costs less than prom-client's look-ups, when metrics are collected. */
export function createShow(registry: Registry) {
  return (name: string, help: string, labelNames: readonly string[], rows: () => Iterable<Row>): void => {
    const options = {
      name,
      help,
      labelNames: [...labelNames],
      registers: [],
      collect(this: { reset(): void; inc(labels: Record<string, string | number>, value: number): void }) {
        this.reset()
        for (const [value, ...texts] of rows())
          this.inc(Object.fromEntries(labelNames.map((label, index) => [label, texts[index] ?? ""])), value)
      },
    }
    registry.registerMetric(GAUGE.test(name) ? new Gauge(options) : new Counter(options))
  }
}
