import assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { parseSelector } from "#core/promql/parse.ts"
import { isLegacyLabel, printSelector, type Selector } from "#core/promql/selector.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, type RunningPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"

const VERSIONS = ["2.42", "2.53", "3.5"] as const
type Version = (typeof VERSIONS)[number]

/** Pieces that selectors are made of and mistaken with; joined at random they give near misses of every kind. */
const PIECES = [
  ...[
    "up",
    "a",
    "by",
    "offset",
    "5m",
    "__name__",
    "{",
    "}",
    "{a=",
    '"b"',
    "'b'",
    "`b`",
    '""',
    ",",
    ",,",
    "=",
    "!=",
    "=~",
  ],
  ...[
    "!~",
    "==",
    "[",
    "]",
    "(",
    ")",
    " ",
    "\t",
    "\n",
    "\r",
    "#c\n",
    "#",
    "@",
    "0",
    '"\\x41"',
    '"\\q"',
    '"\\"',
    '"\\u00e9"',
  ],
  ...[
    '"\\xff"',
    "'\\\"'",
    "\u00a0",
    "é",
    '"é"',
    "\ufffd",
    '"\ufffd"',
    "\\",
    '{a="b"}',
    'up{a="b"}',
    "a:b",
    '"c.d"',
    "-",
    "*",
  ],
]
const TABLE: readonly string[] = [
  ...[
    "up",
    "up{}",
    "{}",
    "up{a='b'}",
    '{a="b",}',
    "{,}",
    '{a="b",,}',
    '{__name__="up"}',
    "up # c",
    "# c\nup",
    "#",
    "",
    " ",
  ],
  ...[
    "up[5m]",
    "up offset 5m",
    "up @ 0",
    "up + up",
    "(up)",
    '"up"',
    "up up",
    "rate(up)",
    '{a="b"',
    "up{a=b}",
    '{a=="b"}',
  ],
  ...['{a="b\n"}', "{a=`b\n`}", '{a="\\n"}', '{a="\\400"}', '{a="\\ud800"}', '{a="\\U00110000"}', '{a="\\xc3\\xa9"}'],
  ...[
    "sum",
    "by",
    "and",
    "start",
    "up\u00a0",
    "up\f",
    'up#x\r\n{a="b"}',
    '{bool="x"}',
    '{a:b="c"}',
    '{1a="b"}',
    "a:b",
    ":a",
  ],
]
/**
 * What Prometheus takes and we refuse, on purpose: what no label can hold (bytes that are not UTF-8), what can be read in
 * two ways (a comment ended by a bare carriage return), names set twice, and metric names that need quotes in an expression.
 */
const STRICTER = [
  /\\x[89a-f]/i,
  /#[^\n]*\r/,
  /__name__/,
  /\b(?:bool|offset|on|ignoring|inf|nan)\b/i,
  /"[^"]*"[^=!~]*[,}]/,
]

const mine = (text: string): Selector | undefined => {
  try {
    return parseSelector(text)
  } catch {
    return undefined
  }
}

async function accepts(prometheus: RunningPrometheus, text: string): Promise<boolean> {
  const answer = await fetch(`${prometheus.url}/federate?match[]=${encodeURIComponent(text)}`)
  await answer.text()
  assert.ok(answer.status === 200 || answer.status === 400, `${answer.status} for ${JSON.stringify(text)}`)
  return answer.status === 200
}

/** Prometheus before 3 knows neither quoted names nor quoted labels. */
const needsThree = (text: string, selector: Selector): boolean =>
  selector.some(({ label }) => !isLegacyLabel(label)) || /(?:^|[{,])\s*(?:#[^\n]*\n\s*)*["'`]/.test(text)

async function compare(version: Version, prometheus: RunningPrometheus, text: string): Promise<void> {
  const selector = mine(text)
  const theirs = await accepts(prometheus, text)
  if (selector === undefined) {
    if (theirs && !STRICTER.some((reason) => reason.test(text))) {
      assert.fail(`Prometheus ${version} takes ${JSON.stringify(text)}, we don't`)
    }
    return
  }
  if (version !== "3.5" && needsThree(text, selector)) return
  assert.ok(theirs, `we take ${JSON.stringify(text)}, Prometheus ${version} doesn't`)
  const printed = printSelector(selector)
  assert.ok(await accepts(prometheus, printed), `Prometheus ${version} does not take our ${printed}`)
}

for (const version of VERSIONS) {
  test(`takes for a selector what Prometheus ${version} takes`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const home = await mkdtemp(join(tmpdir(), "fedstack-selectors-"))
    await writeFile(join(home, "prometheus.yml"), "global: {}\n")
    const prometheus = await startPrometheus(folder, join(home, "prometheus.yml"))
    t.after(async () => {
      await prometheus.stop()
      await rm(home, { recursive: true })
    })
    for (const text of TABLE) await compare(version, prometheus, text)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 7 }), (pieces) =>
        compare(version, prometheus, pieces.join("")),
      ),
      { numRuns: 1500 },
    )
  })
}
