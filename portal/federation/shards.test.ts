import assert from "node:assert/strict"
import { test } from "node:test"
import { Wrong } from "#core/config/settings.ts"
import { DEFAULT_FOLDER, homeOf, shard, shardsOf } from "./shards.ts"

const NAMES = Array.from({ length: 2000 }, (_, index) => `site-${index}`)

test("spreads sites evenly, and moves only those that a shard takes or leaves", () => {
  const three = ["a", "b", "c"]
  const before = new Map(NAMES.map((name) => [name, homeOf(name, three)]))
  const counts = three.map((one) => [...before.values()].filter((home) => home === one).length)
  assert.equal(
    counts.every((count) => Math.abs(count - 667) < 70),
    true,
    counts.join(),
  )
  const added = NAMES.filter((name) => homeOf(name, [...three, "d"]) !== before.get(name))
  assert.equal(Math.abs(added.length - 500) < 60, true, String(added.length))
  assert.deepEqual(new Set(added.map((name) => homeOf(name, ["d", ...three]))), new Set(["d"]))
  const removed = NAMES.filter((name) => homeOf(name, ["a", "b"]) !== before.get(name))
  assert.deepEqual(new Set(removed.map((name) => before.get(name))), new Set(["c"]))
})

const reason = (text: string): unknown => {
  const found = shard(text)
  return found instanceof Wrong ? found.reason : { ...found, url: found.url.href }
}

test("reads NAME=URL,FOLDER, whose folder may hold a comma or an equals sign", () => {
  assert.deepEqual(reason("a=http://prometheus-a:9090/p/,out/a,=b"), {
    name: "a",
    url: "http://prometheus-a:9090/p/",
    folder: "out/a,=b",
    named: true,
  })
  const whole = "must be NAME=URL,FOLDER, such as a=http://prometheus-a:9090,portal/prometheus/generated-a"
  const cases: Readonly<Record<string, string>> = {
    "": whole,
    "http://a:9090,out": whole,
    "a=http://a:9090": whole,
    "a=http://a:9090,": whole,
    "-=http://a:9090,out": "must begin with a name of 1 to 63 letters, digits, dots and dashes, as a site has",
    "a=ftp://a,out": "must name a URL that starts with http:// or https:// after a=",
    "a=http://u:p@a,out": "must name a URL that starts with http:// or https:// after a=",
  }
  for (const [text, expected] of Object.entries(cases)) assert.equal(reason(text), expected, text)
})

const given = (...texts: readonly string[]) => ({
  prometheusUrl: new URL("http://prometheus:9090"),
  configDir: DEFAULT_FOLDER,
  prometheusShards: texts.map((text) => {
    const found = shard(text)
    if (found instanceof Wrong) throw new Error(found.reason)
    return found
  }),
})

test("is one without a name where none is given", () => {
  const url = new URL("http://prometheus:9090")
  assert.deepEqual(shardsOf(given()), [{ name: "prometheus:9090", url, folder: DEFAULT_FOLDER, named: false }])
})

test("refuses shards that share a name, a Prometheus or a folder, all at once", () => {
  const shards = ["a=http://a:9090,out/a", "A=http://b:9090,out/a/", "c=http://a:9090/,out"]
  assert.throws(() => shardsOf(given(...shards)), {
    name: "UsageError",
    message: [
      "--prometheus.shard: A is given twice",
      "--prometheus.shard: c has the URL of a; each is a Prometheus of its own",
      "--prometheus.shard: A has the folder of a, or one within the other; each needs its own",
      "--prometheus.shard: c has the folder of a, or one within the other; each needs its own",
      "--prometheus.shard: c has the folder of A, or one within the other; each needs its own",
    ].join("\n"),
  })
})

test("refuses --prometheus.url and --prometheus.config-dir beside shards", () => {
  const shards = given("a=http://a:9090,out/a")
  assert.throws(() => shardsOf({ ...shards, prometheusUrl: new URL("http://other:9090"), configDir: "elsewhere" }), {
    name: "UsageError",
    message:
      "--prometheus.url: cannot be given together with --prometheus.shard\n" +
      "--prometheus.config-dir: cannot be given together with --prometheus.shard",
  })
})
