import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { seedOf } from "../../../../dev/testing/seed.ts"
import type { StoredSeries } from "../store/series.ts"
import { decodeFamilies } from "./families.testing.ts"
import { textOf, written } from "./format.testing.ts"
import { type Escaping, isLegacyLabel, isLegacyName } from "./names.ts"
import { anyMetadata, anySeries, SECRET } from "./random.testing.ts"

const TYPES = /^(?:counter|gauge|histogram|gaugehistogram|summary|info|stateset|unknown|untyped)$/
const COMMENT = /^# (HELP|TYPE|UNIT) ("(?:[^"\\\n]|\\[\\"n])*"|[a-zA-Z_:][\w:]*) (.*)$/s
const SAMPLE = /^([a-zA-Z_:][\w:]*)?\{(.*)\} (\S+)$/s
const LABEL = /^(?:("(?:[^"\\\n]|\\[\\"n])*"|[a-zA-Z_]\w*)=)?"((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/s

const unescape = (escaped: string): string =>
  escaped.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one))
const unquoted = (name: string): string => (name.startsWith('"') ? unescape(name.slice(1, -1)) : name)

interface Parsed {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: string
}

/** Fails where a family does not stand together below its comments, or has a comment twice or without series. */
function parse(text: string): readonly Parsed[] {
  const samples: Parsed[] = []
  const families = new Set<string>()
  let family = ""
  let comments = new Set<string>()
  let empty = false
  for (const line of text.split("\n").slice(0, -1)) {
    const [, keyword = "", quoted = "", rest = ""] = COMMENT.exec(line) ?? []
    if (keyword !== "") {
      const name = unquoted(quoted)
      if (name !== family || !empty) {
        assert.ok(!empty && !families.has(name), `a family once, with series: ${line}`)
        families.add((family = name))
        comments = new Set()
      }
      assert.ok(!comments.has(keyword), line)
      assert.ok(keyword !== "TYPE" || TYPES.test(rest), line)
      comments.add(keyword)
      empty = true
      continue
    }
    const sample = sampleOf(line)
    assert.ok(sample.name === family || /^_[a-z]+$/.test(sample.name.slice(family.length)), line)
    assert.ok(sample.name.startsWith(family), line)
    samples.push(sample)
    empty = false
  }
  assert.ok(!empty)
  return samples
}

function sampleOf(line: string): Parsed {
  const [, plain, braces = "", value = ""] = SAMPLE.exec(line) ?? []
  let name = plain
  const labels: Record<string, string> = {}
  for (let rest = braces; rest !== "";) {
    const [all = "", label, text = ""] = LABEL.exec(rest) ?? []
    assert.ok(all !== "", `labels: ${line}`)
    if (label === undefined) {
      assert.equal(name, undefined, line)
      name = unescape(text)
    } else {
      assert.ok(!Object.hasOwn(labels, unquoted(label)), `a label once: ${line}`)
      labels[unquoted(label)] = unescape(text)
    }
    rest = rest.slice(all.length)
  }
  assert.ok(name !== undefined && value !== "", line)
  return { name, labels, value }
}

const keyOf = ({ name, labels }: Pick<Parsed, "name" | "labels">): string =>
  JSON.stringify([name, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))])
const keyOfStored = ({ name, labels }: StoredSeries): string =>
  keyOf({ name, labels: { instance: "", ...Object.fromEntries(labels) } })
const numberOf = (text: string): number =>
  text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : text === "NaN" ? Number.NaN : Number(text)

function check(
  found: readonly (readonly [key: string, value: number])[],
  all: readonly StoredSeries[],
  escaping: Escaping,
) {
  const keys = found.map(([key]) => key)
  assert.equal(new Set(keys).size, keys.length, "no series twice")
  const stored = new Map(all.map((one) => [keyOfStored(one), one.sample as number]))
  const shown = new Map(found)
  if (escaping === "allow-utf-8") assert.deepEqual(shown, stored)
  // what has other names is there under another one, or gives way
  for (const one of all.filter(
    ({ name, labels }) => isLegacyName(name) && labels.every(([own]) => isLegacyLabel(own)),
  )) {
    assert.ok(Object.is(shown.get(keyOfStored(one)), one.sample), keyOfStored(one))
  }
}

for (const escaping of ["allow-utf-8", "underscores"] as const) {
  for (const kind of ["text", "openmetrics-1.0.0"] as const) {
    test(`${kind} of whatever series and metadata has each series once, with ${escaping}`, (t) => {
      const property = fc.property(anySeries, anyMetadata, (all, metadata) => {
        const text = textOf({ kind, escaping }, all, metadata)
        assert.ok(!text.includes(SECRET), "no metadata of what is not shown")
        const lines = kind === "text" ? text : text.slice(0, -"# EOF\n".length)
        assert.equal(kind === "text" || text.endsWith("# EOF\n"), true)
        check(
          parse(lines).map((one) => [keyOf(one), numberOf(one.value)]),
          all,
          escaping,
        )
      })
      fc.assert(property, { seed: seedOf(t), numRuns: 500 })
    })
  }
  test(`protobuf of whatever series and metadata has each series once, with ${escaping}`, (t) => {
    const property = fc.property(anySeries, anyMetadata, (all, metadata) => {
      const bytes = written({ kind: "protobuf", escaping }, all, metadata)
      assert.ok(!bytes.includes(SECRET))
      const found = decodeFamilies(bytes).flatMap((family) => {
        const { name, metric } = family as { name: string; metric: { label: { name: string; value: string }[] }[] }
        return metric.map((one) => {
          const { value } = Object.values(one).find((part) => !Array.isArray(part)) as unknown as {
            value: number | string
          }
          const labels = Object.fromEntries(one.label.map((label) => [label.name, label.value]))
          return [keyOf({ name, labels }), Number(value)] as const
        })
      })
      const positive = all.map((one) => ({ ...one, sample: (one.sample as number) + 0 }))
      check(
        found.map(([key, value]) => [key, value + 0]),
        positive,
        escaping,
      )
    })
    fc.assert(property, { seed: seedOf(t), numRuns: 300 })
  })
}
