import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import test from "node:test"
import { find } from "../find.ts"
import { STAGES } from "../probe-report.ts"
import { ATTENTION } from "./attention.ts"
import type { CauseEntry } from "./entry.ts"
import { EXPOSITION } from "./exposition.ts"
import { HTTP } from "./http.ts"
import { ENTRIES, isCauseId } from "./index.ts"
import { LIMITS } from "./limits.ts"
import { NETWORK } from "./network.ts"
import { PORTAL } from "./portal.ts"
import { PUSH } from "./push.ts"
import { SILENT } from "./silent.ts"
import { TLS } from "./tls.ts"
import { TOKENS } from "./tokens.ts"

const root = join(import.meta.dirname, "../../..")
const page = readFileSync(join(root, "docs/diagnosis.md"), "utf8")

const SECTIONS: readonly (readonly [title: string, causes: Readonly<Record<string, CauseEntry>>])[] = [
  ["Names, addresses and connections", NETWORK],
  ["TLS", TLS],
  ["Credentials", TOKENS],
  ["HTTP", HTTP],
  ["Content of the response", EXPOSITION],
  ["Limits of the portal", LIMITS],
  ["Scrapes that succeed, but bring no usable data", SILENT],
  ["Sites that push", PUSH],
  ["The portal itself", PORTAL],
  ["Attention, and the rest", ATTENTION],
]

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "\\<")

function rowOf({ id, title, texts = [], stage, seenBy, example }: CauseEntry): string {
  assert.ok(isCauseId(id))
  const { reason, todo } = find(id, example)
  const fragments = texts.map(({ has }) => has.map((fragment) => `\`${fragment.trim()}\``).join(" … "))
  const signs = [
    ...(seenBy === undefined ? [] : [`${cell(seenBy).replace(/^[a-z]/, (first) => first.toUpperCase())}.`]),
    ...(fragments.length === 0 ? [] : [`Prometheus: ${[...new Set(fragments)].join(", ").replaceAll("|", "\\|")}.`]),
    ...(stage === undefined ? [] : [`Stage ${stage}.`]),
  ]
  return `| \`${id}\`: ${cell(title)} | ${cell(reason)} | ${cell(todo)} | ${signs.join(" ")} |`
}

test("the page lists every cause with what is seen, what to do and how it is recognised", () => {
  const sections = SECTIONS.map(([title, causes]) => {
    const rows = Object.values(causes).map(rowOf)
    return [
      `### ${title}`,
      "",
      "| cause | what is shown | what to do | recognised by |",
      "|---|---|---|---|",
      ...rows,
    ].join("\n")
  })
  const [, written = ""] = /\n## Causes\n\n[^\n]+\n\n([^]*?)\n\n## /.exec(page) ?? []
  assert.equal(written, sections.join("\n\n"))
  assert.equal(SECTIONS.flatMap(([, causes]) => Object.keys(causes)).length, ENTRIES.length)
})

test("the page names the causes that are the portal's where many sites share them", () => {
  const shared = ENTRIES.filter(({ atPortal }) => atPortal !== undefined).map(({ id }) => `\`${id}\``)
  assert.ok(page.includes(`\n${shared.join(", ")}.\n`), shared.join(", "))
})

test("the page names the stages of a probe in their order", () => {
  const [table = ""] = /\n\| stage \|[^]*?\n\n/.exec(page) ?? []
  assert.deepEqual(
    [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, stage]) => stage),
    STAGES,
  )
})

test("the page's example of a cause is one of the table, in one file and under 30 lines", () => {
  const [, example = ""] = /```ts\n([^]*?)\n```/.exec(page) ?? []
  const [first = "", ...rest] = example.split("\n")
  assert.equal(first, "// portal/diagnosis/causes/tls.ts")
  const source = readFileSync(join(root, first.slice(3)), "utf8")
  assert.ok(source.includes(`\n${rest.join("\n")}\n`))
  assert.ok(rest.length < 30)
  assert.match(rest[0] ?? "", /^ {2}tls_usage: \{$/)
})
