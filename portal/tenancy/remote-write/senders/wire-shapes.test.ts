import assert from "node:assert/strict"
import { isUtf8 } from "node:buffer"
import test from "node:test"
import fc from "fast-check"
import { FedstackError } from "#core/errors.ts"
import { parseSelector } from "#core/promql/parse.ts"
import type { Version } from "../message/version.ts"
import { anyMessageV1 } from "../split/message-v1.testing.ts"
import { anyMessageV2 } from "../split/message-v2.testing.ts"
import { fieldsOf, isMessage, labelOf } from "../split/oracle-v1.testing.ts"
import { decode } from "../split/oracle-v2.testing.ts"
import { writeMessage } from "../split/v2.testing.ts"
import { applyRules } from "./apply.ts"
import type { LabelPair } from "./messages.testing.ts"
import { relabelled } from "./relabelling.testing.ts"
import { seriesRules } from "./series-rules.ts"

const OWN = { site: "red", team: "own" }
const NAMES = ["site", "team", "exported_team", "cluster"]
/** Of label values that the generators like. */
const JOB = "red"
const rules = seriesRules("red", { labels: OWN }, NAMES)
const matching = seriesRules("red", { labels: OWN, match: [parseSelector(`{job="${JOB}"}`)] }, NAMES)

const runs = { numRuns: Number(process.env["FEDSTACK_TEST_RUNS"] ?? 400) }

/** Undefined where the message is refused. Anything else that is thrown fails the test. */
function apply(version: Version, message: Buffer, isMatched: boolean) {
  const given = isMatched ? matching : rules
  assert.ok(given)
  try {
    return applyRules(given, version, message)
  } catch (error) {
    if (!(error instanceof FedstackError)) throw error
    assert.equal(error.status, 400)
    return undefined
  }
}

const isDistinct = (labels: readonly LabelPair[]): boolean =>
  new Set(labels.map(([name]) => name)).size === labels.length
const isShared = (labels: readonly LabelPair[], isMatched: boolean): boolean =>
  !isMatched || labels.some(([name, value]) => name === "job" && value === JOB)
const relabelledAs = (labels: readonly LabelPair[]) => relabelled(labels, OWN, NAMES)

interface Shape {
  readonly labels: readonly LabelPair[]
  /** Of its names. */
  readonly isText: boolean
  readonly hasTextAsJob: boolean
  /** All but its labels, as it stands. */
  readonly rest: string
}

/** Series of a message of version 1: each byte of a label a character. */
const seriesV1 = (message: Buffer): readonly Shape[] =>
  fieldsOf(message)
    .filter(({ number }) => number === 1)
    .map(({ content }) => {
      const parts = fieldsOf(content)
      const labels = parts.filter(({ number }) => number === 1).map(labelOf)
      return {
        labels: labels.map(({ name, value }) => [name.toString("latin1"), value.toString("latin1")] as const),
        isText: labels.every(({ name }) => isUtf8(name)),
        hasTextAsJob: labels.every(({ name, value }) => name.toString() !== "job" || isUtf8(value)),
        rest: Buffer.concat(parts.filter(({ number }) => number !== 1).map(({ raw }) => raw)).toString("latin1"),
      }
    })

test("labels and selectors hold for any legal message of version 1 as for a naive decoder", () => {
  const seen = { accepted: 0, setAside: 0, refused: 0 }
  fc.assert(
    fc.property(anyMessageV1, fc.boolean(), (message, isMatched) => {
      const result = apply(1, message, isMatched)
      if (result === undefined) {
        assert.ok(!isMessage(message), "a legal message is refused")
        seen.refused++
        return
      }
      const sent = seriesV1(message)
      const accepted = sent.filter(
        ({ labels, isText, hasTextAsJob }) =>
          isText && isDistinct(labels) && (!isMatched || (hasTextAsJob && isShared(labels, isMatched))),
      )
      assert.deepEqual(
        seriesV1(result.message).map(({ labels, rest }) => ({ labels, rest })),
        accepted.map(({ labels, rest }) => ({ labels: relabelledAs(labels), rest })),
      )
      assert.equal(result.rejections.series, sent.length - accepted.length)
      seen.accepted += accepted.length
      seen.setAside += sent.length - accepted.length
    }),
    runs,
  )
  assert.ok(seen.accepted > 100 && seen.setAside > 100, JSON.stringify(seen))
})

test("labels and selectors hold for any legal message of version 2 as for a naive decoder", () => {
  const seen = { accepted: 0, setAside: 0, unsound: 0 }
  fc.assert(
    fc.property(anyMessageV2, fc.boolean(), (message, isMatched) => {
      const result = apply(2, message, isMatched)
      assert.ok(result, "a legal message is refused")
      const sent = decode(message).series.map(({ series }) => series)
      const sound = sent.filter((series) => series !== undefined)
      const accepted = sound.filter(({ labels }) => isDistinct(labels) && isShared(labels, isMatched))
      // what is not sound is set aside now, or by the split
      const [left, setAside] = [decode(result.message).series, result.rejections.series]
      assert.deepEqual(
        left.flatMap(({ series }) => series ?? []),
        accepted.map((series) => ({ ...series, labels: relabelledAs(series.labels) })),
      )
      assert.equal(left.length + setAside, sent.length)
      seen.accepted += accepted.length
      seen.setAside += setAside
      seen.unsound += sent.length - sound.length
    }),
    // a value that is no symbol
    { ...runs, examples: [[writeMessage([{ labels: ["__name__", 9] }]), false]] },
  )
  assert.ok(seen.accepted > 100 && seen.setAside > 100 && seen.unsound > 0, JSON.stringify(seen))
})

test("a reference to a symbol that there is not does not become one to a symbol that the rules add", () => {
  assert.ok(rules)
  const symbols = Buffer.from([0x22, 0, 0x22, 8, ...Buffer.from("__name__"), 0x22, 1, 0x6d])
  const labels = [0x0a, 2, 1, 2]
  const cases = [
    [[0x22, 4, 0x0a, 2, 1, 3], "an exemplar's label refers to a symbol that there is not"],
    [[0x2a, 2, 0x18, 4], "its metadata refers to a symbol that there is not"],
    [[0x2a, 2, 0x20, 3], "its metadata refers to a symbol that there is not"],
  ] as const
  for (const [part, reason] of cases) {
    const series = [0x2a, labels.length + part.length, ...labels, ...part]
    const { message, rejections } = applyRules(rules, 2, Buffer.concat([symbols, Buffer.from(series)]))
    assert.deepEqual(decode(message).series, [])
    assert.deepEqual(
      rejections.lines().map((line) => line.reason),
      [reason],
    )
  }
})
