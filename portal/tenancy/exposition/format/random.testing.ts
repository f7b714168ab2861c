import * as fc from "fast-check"
import type { StoredSeries } from "../store/series.ts"
import { AT } from "./format.testing.ts"
import { type FamilyMetadata, METRIC_TYPES, type Metadata } from "./metadata.ts"

const BASES = ["a", "a_b", "a_seconds", "b", "a.b", "a-b", "1c", "ü"]
const SUFFIXES = ["", "_total", "_created", "_bucket", "_count", "_sum", "_info", "_gcount", "_gsum", ".total"]
const LABELS = ["a", "b", "le", "quantile", "instance", "a_b", "a.b", "a-b", "job", "..name.."]
const TEXTS = [
  "",
  "1",
  "+Inf",
  "Inf",
  "0.5",
  "1.0",
  "x",
  'a"b\\c\nd',
  "\n# EOF\n",
  "# TYPE a gauge",
  "ü🧬",
  "\r",
  "\0",
  "}",
  " ",
]
/** Names that any metadata can be known of, with series and without. */
export const SECRET = "secret_of_others"

const name = fc.tuple(fc.constantFrom(...BASES), fc.constantFrom(...SUFFIXES)).map((parts) => parts.join(""))
const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: "binary", maxLength: 4 }))
const labels = fc
  .dictionary(
    fc.constantFrom(...LABELS),
    text.filter((value) => value !== ""),
    { maxKeys: 3 },
  )
  .map((all) => Object.entries(all))
const value = fc.oneof(fc.constantFrom(0, -0, 1, 2, 0.5, -1, Number.NaN, Infinity, -Infinity, 1e21, 1e-9), fc.double())
const sample = fc.record({ name, labels, timestamp: fc.constantFrom(AT, AT - 1), sample: value })

/** A histogram or summary that is whole, that others may break. */
const whole = fc
  .tuple(fc.constantFrom(...BASES), fc.constantFrom("1", "2"), fc.boolean())
  .map(([base, a, isHistogram]) => {
    const part = (suffix: string, number: number, ...more: [string, string][]): StoredSeries => ({
      ...{ name: base + suffix, labels: [["a", a], ...more], timestamp: AT, sample: number },
    })
    const parts = isHistogram
      ? ["0.5", "1.0", "+Inf"].map((le, index) => part("_bucket", index, ["le", le]))
      : ["0.5", "1"].map((quantile) => part("", 1, ["quantile", quantile]))
    return [...parts, part("_count", 2), part("_sum", 3)]
  })

/** Series as a store has them: each once. */
export const anySeries: fc.Arbitrary<readonly StoredSeries[]> = fc
  .tuple(fc.array(sample, { maxLength: 20 }), fc.array(whole, { maxLength: 3 }))
  .map(([samples, families]) => {
    const keyOf = (one: StoredSeries): string =>
      JSON.stringify([one.name, one.labels.toSorted(([a], [b]) => (a < b ? -1 : 1))])
    return [...new Map([...samples, ...families.flat()].map((one) => [keyOf(one), one])).values()]
  })

const known: fc.Arbitrary<FamilyMetadata> = fc.record({
  type: fc.constantFrom(...METRIC_TYPES),
  help: text,
  unit: fc.constantFrom("", "seconds", "b", "\n"),
})
export const anyMetadata: fc.Arbitrary<Metadata> = fc
  .tuple(fc.dictionary(name, known, { maxKeys: 3 }), fc.dictionary(fc.constantFrom(...BASES), known), known)
  .map(
    ([any, some, secret]) =>
      new Map([...Object.entries({ ...any, ...some }), [SECRET, secret], [`${SECRET}_total`, secret]]),
  )
