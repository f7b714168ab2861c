import assert from "node:assert/strict"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { createOracle } from "../../dev/fuzz/oracle.ts"
import { seeded } from "../../dev/fuzz/random.ts"
import { randomSelector } from "../../dev/fuzz/random-selector.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { compile } from "./compiled.ts"
import { type Containment, contains } from "./containment.ts"
import { Budget } from "./regex/search.ts"
import type { Selector } from "./selector.ts"

/** Stand for the labels of the random selectors, where any value is possible in every version. */
const LABELS: Readonly<Record<string, string>> = { __name__: "n", job: "j", x: "x" }
type Series = Readonly<Record<string, string>>

interface Pair {
  readonly allowed: number
  readonly match: number
  readonly result: Containment
  /** Index of a series that is made from the witness. */
  readonly shown: number | undefined
}

interface Plan {
  readonly selectors: readonly Selector[]
  readonly pairs: readonly Pair[]
  readonly series: readonly Series[]
}

/** Random selectors, all pairs decided, and series around their borders. `dotAll`: as this version reads a bare dot. */
function plan(seed: number, dotAll: boolean): Plan {
  const random = seeded(seed)
  const oracle = createOracle()
  const selectors: Selector[] = []
  const pairs: Pair[] = []
  const series: Series[] = []
  for (let round = 0; round < 15; round++) {
    const wide = [randomSelector(random), randomSelector(random), randomSelector(random)]
    const all = [...wide, ...wide.map((one) => one.narrower())]
    const words: [string, ...string[]] = ["", ...all.flatMap((one) => one.words())]
    const first = selectors.length
    const renamed = all.map(({ selector }) =>
      selector.map((matcher) => ({ ...matcher, label: LABELS[matcher.label] ?? matcher.label })),
    )
    const takes = (selector: Selector, label: string, word: string): boolean =>
      selector.every((matcher) => matcher.label !== label || oracle.accepts(matcher, word, dotAll))
    selectors.push(...renamed)
    for (let i = 0; i < 40; i++) {
      series.push(Object.fromEntries(Object.values(LABELS).map((label) => [label, random.pick(words)])))
    }
    const compiled = renamed.map(compile)
    renamed.forEach((allowed, a) =>
      renamed.forEach((match, m) => {
        const [compiledAllowed, compiledMatch] = [compiled[a], compiled[m]]
        if (compiledAllowed === undefined || compiledMatch === undefined || a === m) return
        const result = contains(compiledAllowed, compiledMatch)
        const fitting = Object.values(LABELS).map((label) => {
          const witness = result.kind === "not contained" && result.label === label ? [result.witness] : words
          return [label, witness.find((word) => takes(match, label, word))] as const
        })
        const possible = fitting.flatMap(([label, word]) => (word === undefined ? [] : [[label, word] as const]))
        // a witness can be one for the other versions only
        const shows =
          result.kind === "not contained" &&
          possible.length === fitting.length &&
          !takes(allowed, result.label, result.witness)
        const shown = shows ? series.push(Object.fromEntries(possible)) - 1 : undefined
        pairs.push({ allowed: first + a, match: first + m, result, shown })
      }),
    )
  }
  return { selectors, pairs, series }
}

function exposition(series: readonly Series[]): string {
  return series
    .map((labels, id) => {
      const pairs = Object.entries({ ...labels, id: String(id) }).filter(([, value]) => value !== "")
      return `m{${pairs.map(([label, value]) => `${label}="${escape(value)}"`).join(",")}} 1\n`
    })
    .join("")
}

/** The text format knows these escapes only. */
function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
}

/** Starts a Prometheus that has scraped the series; gives the ids of those that it federates for a selector. */
async function serve(
  t: TestContext,
  folder: string,
  series: readonly Series[],
): Promise<(selector: Selector) => Promise<ReadonlySet<number>>> {
  const target = createServer((_, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4")
    response.end(exposition(series))
  })
  target.listen(0, "127.0.0.1")
  await once(target, "listening")
  t.after(() => target.close())
  const files = await mkdtemp(join(tmpdir(), "fedstack-containment-"))
  t.after(() => rm(files, { recursive: true }))
  const address = `127.0.0.1:${(target.address() as AddressInfo).port}`
  const configuration = { job_name: "m", scrape_interval: "1s", static_configs: [{ targets: [address] }] }
  await writeFile(join(files, "prometheus.yml"), JSON.stringify({ scrape_configs: [configuration] }))
  const prometheus = await startPrometheus(folder, join(files, "prometheus.yml"))
  t.after(() => prometheus.stop())

  const federate = async (selector: Selector): Promise<ReadonlySet<number>> => {
    const matchers = selector.map(({ label, op, value }) => `${label}${op}${JSON.stringify(value)}`)
    const query = new URLSearchParams({ "match[]": `{__name__="m",${matchers.join(",")}}` })
    const answer = await fetch(`${prometheus.url}/federate?${query.toString()}`)
    const body = await answer.text()
    assert.equal(answer.status, 200, `${query.get("match[]")}: ${body}`)
    return new Set([...body.matchAll(/[{,]id="(\d+)"/g)].map(([, id]) => Number(id)))
  }
  await until("all series", async () => ((await federate([])).size === series.length ? true : undefined))
  return federate
}

/** Forms that Prometheus answers without Go's regexp, or that read differently elsewhere. */
const EXPRESSIONS = [
  ...[".*", ".+", "a.*", ".*a", ".*a.*", "a.+", ".+a.+", "(.*)", "(.+)", ".?", "a.?", "", "a|", "x?", "a.b", "a|b|ab"],
  ...["a(b|.*k)", "a.*|b.*", "(?i)k.*", "(?i)ka|kb", "(?i)k", "(?i:s)", "(?i)[^k]*", "(?i)é", "(?i)\\W+", ".*\n.*"],
  ...[
    "(?s).*",
    "(?-s).+",
    "(?s:a.)b?",
    "^a.*$",
    "\\bab\\b.*",
    "(?m)a$\nb",
    "(?m)(?:.*\n)?^b.*",
    "[^a]+",
    "[[:^alpha:]]",
    "\\x{1F600}|\\141",
  ],
  ...["a{1,2}", "a{,2}", "\\Q.*\\E", "[]a]", "\\d", "\\s+", "(?U)a.*b", "a\\z|\\Ab", "a*?b", "(a*)*k"],
  // enough alternatives for a map whose keys are normalised (NFKD)
  `(?i)${Array.from("abcdefghijlmnopqrt", (letter) => `${letter}a`).join("|")}`,
  Array.from("abcdefghijlmnopqrt", (letter) => `[${letter}${letter.toUpperCase()}][bB]`).join("|"),
]
const VALUES = [
  ...[
    "",
    "a",
    "b",
    "ab",
    "aa",
    "aab",
    "axb",
    "a\nb",
    "\na",
    "a\n",
    "\n",
    "a-k",
    "k",
    "K",
    "\u212a",
    "ka",
    "KB",
    "\u212aa",
    "s",
    "\u017f",
  ],
  ...[
    "é",
    "É",
    "ab-",
    "-ab",
    "a{,2}",
    ".*",
    "]",
    "٣",
    "1",
    "\v",
    "\t",
    "😀",
    "b\n",
    "x\nb",
    "ab\nk",
    "\uff41\uff41",
    "\uff42\uff42",
  ],
]

for (const version of ["2.42", "2.53", "3.5"] as const) {
  test(`agrees with Prometheus ${version} on what contained selectors select, and on every witness`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const seed = Date.now() % 2 ** 32
    t.diagnostic(`seed ${seed}`)
    const { selectors, pairs, series } = plan(seed, version.startsWith("3"))

    const federate = await serve(t, folder, series)
    const selected: ReadonlySet<number>[] = []
    for (const selector of selectors) selected.push(await federate(selector))

    const count = { contained: 0, shown: 0 }
    for (const { allowed, match, result, shown } of pairs) {
      const about = JSON.stringify({ allowed: selectors[allowed], match: selectors[match], result })
      const [shared, asked] = [selected[allowed] ?? new Set(), selected[match] ?? new Set<number>()]
      if (result.kind === "contained") {
        const leaked = [...asked].filter((id) => !shared.has(id)).map((id) => series[id])
        assert.deepEqual(leaked, [], about)
        count.contained++
      }
      if (shown !== undefined) {
        assert.deepEqual([asked.has(shown), shared.has(shown)], [true, false], about)
        count.shown++
      }
    }
    t.diagnostic(`${series.length} series, ${pairs.length} pairs: ${JSON.stringify(count)}`)
    assert.ok(count.contained > 50 && count.shown > 50, JSON.stringify(count))
  })
  test(`reads expressions as Prometheus ${version} does`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const federate = await serve(
      t,
      folder,
      VALUES.map((x) => ({ x })),
    )
    const dotAll = version.startsWith("3")
    for (const op of ["=~", "!~"] as const) {
      for (const value of EXPRESSIONS) {
        const matcher = { label: "x", op, value }
        const selected = await federate([matcher])
        const read = VALUES.filter((_, id) => selected.has(id))
        const [least, most] = (["at least", "at most"] as const).map((bound) =>
          VALUES.filter((word) =>
            compile([matcher]).matchers.every(
              (compiled) =>
                compiled.problem(bound) !== undefined || compiled.accepts(word, { dotAll, bound }, new Budget(1e6)),
            ),
          ),
        )
        const folds = /\(\?i|\[aA\]/.test(value)
        const known = compile([matcher]).matchers.every((compiled) => compiled.problem("at least") === undefined)
        if (!folds) assert.deepEqual([read, read], [least, most], op + value)
        if (known)
          assert.deepEqual(
            least?.filter((word) => !read.includes(word)),
            [],
            `at least ${op}${value}`,
          )
        assert.deepEqual(
          read.filter((word) => !most?.includes(word)),
          [],
          `at most ${op}${value}`,
        )
      }
    }
  })
}
