import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { RE2JS } from "re2js"
import { FedstackError } from "#core/errors.ts"
import { parseSelector } from "./parse.ts"
import { isLegacyLabel, type Matcher, printSelector, type Selector } from "./selector.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import {
  findPrometheus,
  type RunningPrometheus,
  startPrometheus,
  type Version,
  VERSIONS,
} from "../../dev/testing/prometheus.ts"

/** Pieces that selectors are made of and mistaken with; joined at random they give near misses of every kind. */
const PIECES = [
  ...["up", "a", "by", "offset", "5m", "__name__", "{", "}", "{a=", '"b"', "'b'", "`b`", '""', ",", ",,", "=", "!="],
  ...["=~", "!~", "==", "[", "]", "(", ")", " ", "\t", "\n", "\r", "#c\n", "#", "@", "0", '"\\x41"', '"\\q"', '"\\"'],
  ...['"\\u00e9"', '"\\xff"', "'\\\"'", "\u00a0", "é", '"é"', "\ufffd", '"\ufffd"', "\\", '{a="b"}', 'up{a="b"}'],
  ...["a:b", '"c.d"', "-", "*"],
]
const TABLE: readonly string[] = [
  ...["up", "up{}", "{}", "up{a='b'}", '{a="b",}', "{,}", '{a="b",,}', '{__name__="up"}', "up # c", "# c\nup", "#", ""],
  ...[" ", "up[5m]", "up offset 5m", "up @ 0", "up + up", "(up)", '"up"', "up up", "rate(up)", '{a="b"', "up{a=b}"],
  ...['{a=="b"}', '{a="b\n"}', "{a=`b\n`}", '{a="\\n"}', '{a="\\400"}', '{a="\\ud800"}', '{a="\\U00110000"}'],
  ...['{a="\\xc3\\xa9"}', "sum", "by", "and", "start", "up\u00a0", "up\f", 'up#x\r\n{a="b"}', '{bool="x"}'],
  ...['{a:b="c"}', '{1a="b"}', "a:b", ":a"],
]
/** Valid texts, of which one place is changed. */
const STEMS = [
  "up",
  'up{a="b"}',
  '{a="b",c=~"d"}',
  '{ a = "b" , } # c\n',
  "{a!~`b`,c!='d'}",
  '{"c.d",a="b"}',
  '{"c.d"="e",a="b"}',
]

/** What /federate takes and we refuse, on purpose, by the words of our refusal. */
const STRICTER = [
  "a second metric name", // an expression with two is refused by Prometheus too
  "a metric name beside a matcher of __name__",
  "an empty name",
  "a value that is not UTF-8",
  "a carriage return in a comment", // Prometheus ends the comment there, its published grammar does not
  '"o" at character', // a metric that is called `offset`
]

const piece = fc.constantFrom(...PIECES)
const nearMiss = fc.oneof(
  fc.array(piece, { minLength: 1, maxLength: 7 }).map((pieces) => pieces.join("")),
  fc
    .record({ stem: fc.constantFrom(...STEMS), at: fc.nat(20), cut: fc.nat(2), put: fc.option(piece, { nil: "" }) })
    .map(({ stem, at, cut, put }) => stem.slice(0, at) + put + stem.slice(at + cut)),
)

function mine(text: string): Selector | Error {
  try {
    return parseSelector(text)
  } catch (error) {
    assert.ok(error instanceof FedstackError)
    return error
  }
}

function compiles({ op, value }: Matcher): boolean {
  try {
    if (op === "=~" || op === "!~") RE2JS.compile(value)
    return true
  } catch {
    return false
  }
}

async function accepts(prometheus: RunningPrometheus, text: string): Promise<boolean> {
  const response = await fetch(`${prometheus.url}/federate?match[]=${encodeURIComponent(text)}`)
  await response.text()
  assert.ok(response.status === 200 || response.status === 400, `${response.status} for ${JSON.stringify(text)}`)
  return response.status === 200
}

/** Prometheus before 3 knows neither quoted names nor quoted labels. */
const needsThree = (text: string, selector: Selector): boolean =>
  selector.some(({ label }) => !isLegacyLabel(label)) || /(?:^|[{,])\s*(?:#[^\n]*\n\s*)*["'`]/.test(text)

async function compare(version: Version, prometheus: RunningPrometheus, text: string): Promise<void> {
  const selector = mine(text)
  const theirs = await accepts(prometheus, text)
  if (selector instanceof Error) {
    if (theirs && !STRICTER.some((reason) => selector.message.includes(reason))) {
      assert.fail(`Prometheus ${version} takes ${JSON.stringify(text)}, we don't: ${selector.message}`)
    }
    return
  }
  if (!selector.every(compiles)) return // regular expressions are not compiled by the parser
  if (version !== "3.5" && needsThree(text, selector)) return
  assert.ok(theirs, `we take ${JSON.stringify(text)}, Prometheus ${version} doesn't`)
  const printed = printSelector(selector)
  assert.ok(await accepts(prometheus, printed), `Prometheus ${version} does not take our ${printed}`)
}

for (const version of VERSIONS) {
  test(`takes for a selector what Prometheus ${version} takes`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const configuration = await temporaryFolder(t).write("prometheus.yml", "global: {}\n")
    const prometheus = await startPrometheus(folder, configuration)
    t.after(() => prometheus.stop())
    for (const text of TABLE) await compare(version, prometheus, text)
    await fc.assert(
      fc.asyncProperty(nearMiss, (text) => compare(version, prometheus, text)),
      { numRuns: 1500 },
    )
  })
}
