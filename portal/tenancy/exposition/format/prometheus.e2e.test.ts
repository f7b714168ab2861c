import assert from "node:assert/strict"
import { createServer } from "node:http"
import { suite, test } from "node:test"
import * as fc from "fast-check"
import { normalizeAccept } from "#core/federation/accept.ts"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { listen } from "../../../../dev/testing/listen.ts"
import { findPrometheus, startPrometheus, VERSIONS } from "../../../../dev/testing/prometheus.ts"
import { readAll } from "../../../../dev/testing/remote-write/read-back.ts"
import { bitsOf } from "../../../../dev/testing/remote-write/schema.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import { until } from "../../../../dev/testing/until.ts"
import type { StoredSeries } from "../store/series.ts"
import { decodeFamilies, histogramSeries } from "./families.testing.ts"
import { metadataOf, series, written } from "./format.testing.ts"
import type { FamilyMetadata, Metadata } from "./metadata.ts"
import { openFormat, type WantedFormat, wantedFormat } from "./negotiate.ts"
import { anyMetadata, anySeries } from "./random.testing.ts"

const KINDS = ["text", "openmetrics-1.0.0", "protobuf"] as const
const OWN = new Set(["up", "scrape_duration_seconds", "scrape_samples_scraped"])
OWN.add("scrape_samples_post_metric_relabeling").add("scrape_series_added")

/** Prometheus 3 writes bounds of histograms and summaries in one way. */
const inOneWay = (all: readonly StoredSeries[]): readonly StoredSeries[] => [
  ...new Map(
    all.map((one) => {
      const labels = one.labels.map(([name, value]) => [name, value === "1" ? "1.0" : value] as const)
      return [keyOf(one.name, labels), { ...one, labels }]
    }),
  ).values(),
]
const keyOf = (name: string, labels: StoredSeries["labels"]): string =>
  JSON.stringify([name, labels.filter(([, value]) => value !== "").toSorted(([a], [b]) => (a < b ? -1 : 1))])

interface Value {
  readonly value: number | string
}
interface ReadFamily {
  readonly name: string
  readonly metric: readonly {
    readonly label: readonly { readonly name: string; readonly value: string }[]
    readonly gauge?: Value
    readonly counter?: Value
    readonly untyped?: Value
  }[]
}

/** What a scraper must hold: what the simplest format has. */
function expected(
  all: readonly StoredSeries[],
  metadata: Metadata,
  escaping: WantedFormat["escaping"],
): ReadonlyMap<string, string> {
  const families = decodeFamilies(written({ kind: "protobuf", escaping }, all, metadata)) as readonly ReadFamily[]
  return new Map(
    families.flatMap(({ name, metric }) =>
      metric.map(({ label, gauge, counter, untyped }) => [
        keyOf(
          name,
          label.map((one) => [one.name, one.value] as const),
        ),
        String(Number((gauge ?? counter ?? untyped)?.value)),
      ]),
    ),
  )
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(`Prometheus ${version} stores each series of whatever it scrapes, in each format, with its value`, async (t) => {
      const folder = need(t, findPrometheus(version))
      if (folder === undefined) return
      const seed = seedOf(t)
      const [random = []] = fc.sample(
        fc.tuple(...Array.from({ length: 30 }, (_, index) => anySeries.map((all) => [index, all] as const))),
        { numRuns: 1, seed },
      )
      // each of them told apart, so that they make one response
      const all = inOneWay(
        random.flatMap(([index, own]) =>
          own.map((one) => ({ ...one, labels: [...one.labels, ["n", `${index}`] as const] })),
        ),
      )
      const [metadata = new Map<string, FamilyMetadata>()] = fc.sample(anyMetadata, { numRuns: 1, seed })
      const wanted = new Map<string, WantedFormat>()
      const port = await listen(
        t,
        createServer((request, response) => {
          const negotiated = wantedFormat(normalizeAccept(request.headers.accept ?? ""))
          const kind = KINDS.find((one) => request.url === `/${one}`) ?? negotiated.kind
          const format = { ...negotiated, kind }
          wanted.set(request.url ?? "", format)
          response.setHeader("content-type", openFormat(format, false).contentType)
          response.end(written(format, all, metadata))
        }),
      )
      const paths = [...KINDS, "negotiated"]
      const config = {
        scrape_configs: paths.map((path) => ({
          ...{ job_name: path, scrape_interval: "1s", honor_labels: true, metrics_path: `/${path}` },
          static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { path } }],
        })),
      }
      const prometheus = await startPrometheus(
        folder,
        await temporaryFolder(t).write("p.yml", JSON.stringify(config)),
        ["--enable-feature=native-histograms"],
      )
      t.after(() => prometheus.stop())
      await until("two scrapes of each", async () =>
        (await prometheus.query("sum_over_time(up[1m]) >= 2")).length >= paths.length ? true : undefined,
      )
      const stored = await readAll(prometheus.url)
      for (const path of paths) {
        const { escaping } = wanted.get(`/${path}`) ?? { escaping: "underscores" as const }
        const found = new Map(
          stored
            .filter(({ labels: { path: own, __name__: name = "" } }) => own === path && !OWN.has(name))
            .map(({ labels, value }) => {
              const { __name__: name = "", ...others } = labels
              // a job of its own has been given to what has none
              const own = Object.entries(others).filter(
                ([label, text]) => label !== "path" && !(label === "job" && text === path),
              )
              return [keyOf(name, own), String(doubleOf(value))]
            }),
        )
        assert.deepEqual(found, expected(all, metadata, escaping), path)
      }
      assert.doesNotMatch(
        prometheus.child.output(),
        /Error on ingesting|different value|level=(?:WARN|warn|ERROR|error)/,
      )
    })

    test(`Prometheus ${version} holds native histograms as they were`, async (t) => {
      const folder = need(t, findPrometheus(version))
      if (folder === undefined) return
      const spans = { positiveSpans: [{ offset: 0, length: 3 }] }
      const integers = { countInt: "12", sum: bitsOf(20), schema: 0, zeroThreshold: bitsOf(0.001), zeroCountInt: "2" }
      const floats = {
        countFloat: bitsOf(6),
        sum: bitsOf(9),
        schema: 0,
        zeroThreshold: bitsOf(0.001),
        zeroCountFloat: bitsOf(0),
      }
      const custom = { countInt: "10", sum: bitsOf(20), schema: -53, customValues: [bitsOf(1), bitsOf(2)] }
      const all = [
        histogramSeries("ints", { a: "1" }, { ...integers, ...spans, positiveDeltas: ["4", "-2", "2"] }),
        histogramSeries("floats", {}, { ...floats, ...spans, positiveCounts: [1.5, 3, 1.5].map(bitsOf) }),
        histogramSeries("gauges", {}, { ...integers, ...spans, positiveDeltas: ["4", "-2", "2"], resetHint: 3 }),
        histogramSeries("none", {}, { countInt: "0", sum: bitsOf(0), schema: 2 }),
        histogramSeries("custom", {}, { ...custom, ...spans, positiveDeltas: ["5", "-2", "-1"] }),
        series("ints_total", {}, 1),
      ]
      const accepts: string[] = []
      const port = await listen(
        t,
        createServer((request, response) => {
          const accept = normalizeAccept(request.headers.accept ?? "")
          accepts.push(accept ?? "")
          const wanted = wantedFormat(accept)
          response.setHeader("content-type", openFormat(wanted, false).contentType)
          response.end(written(wanted, all, metadataOf({ ints: { type: "histogram", help: "H." } })))
        }),
      )
      const job = { job_name: "tenant", scrape_interval: "1s", honor_labels: true }
      const config = { scrape_configs: [{ ...job, static_configs: [{ targets: [`127.0.0.1:${port}`] }] }] }
      const prometheus = await startPrometheus(
        folder,
        await temporaryFolder(t).write("p.yml", JSON.stringify(config)),
        ["--enable-feature=native-histograms"],
      )
      t.after(() => prometheus.stop())
      const value = async (query: string, time?: string) =>
        (await prometheus.query(query, time)).map((one) => one.value[1])
      const scraped = await until("a scrape", async () => (await value("timestamp(ints_total)"))[0])
      assert.match(accepts[0] ?? "", /^application\/vnd\.google\.protobuf/)
      for (const [query, expectedValue] of [
        ["histogram_count(ints)", "12"],
        ["histogram_sum(ints)", "20"],
        ["histogram_fraction(0, 1, gauges) * 12", "6"],
        ["histogram_quantile(0.5, ints)", "1"],
        ["histogram_count(gauges)", "12"],
        ["histogram_count(floats)", "6"],
        ["histogram_fraction(-Inf, 1, floats) * 6", "1.5"],
        ["histogram_fraction(-Inf, 2, floats) * 6", "4.5"],
        // 2.42 does not know it as a native one
        ["histogram_count(none) or none_count", "0"],
        ['custom_bucket{le="1"} or custom_bucket{le="1.0"}', "5"],
        ['custom_bucket{le="2"} or custom_bucket{le="2.0"}', "8"],
        ['custom_bucket{le="+Inf"}', "10"],
        ["custom_count", "10"],
        ["custom_sum", "20"],
        ["histogram_quantile(0.5, custom_bucket)", "1"],
      ] as const)
        assert.deepEqual(await value(query, scraped), [expectedValue], query) // the next scrape may fail
    })
  }
})

function doubleOf(bits: string): number {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(bits))
  return buffer.readDoubleLE()
}
