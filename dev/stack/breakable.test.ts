import assert from "node:assert/strict"
import { test } from "node:test"
import { Wrong } from "#core/config/settings.ts"
import { CAUSES } from "../../portal/diagnosis/causes/index.ts"
import { BREAKABLE, breakableList, breaking } from "./breakable.ts"

test("causes are separated by commas", () => {
  assert.deepEqual(breaking("tls_expired, forbidden"), ["tls_expired", "forbidden"])
})

for (const [text, reason] of [
  ["", "must be a cause, or list to see all"],
  ["refused,tls_old", "must be a cause that --break list shows"],
  ["blocked_locally", "is not produced: it needs root, for a namespace with a name server and routes of its own"],
] as const) {
  test(`refuses to break "${text}"`, () => assert.deepEqual(breaking(text), new Wrong(reason)))
}

test("every cause of the portal can be produced, or the list says why not", () => {
  const left = Object.keys(CAUSES).filter((cause) => ![...BREAKABLE.values()].some((fault) => fault.cause === cause))
  const notProduced = breakableList().split("\nNot produced:\n")[1] ?? ""
  const names = [...notProduced.matchAll(/^(\S+) {2,}\S/gm)].map(([, name]) => name)
  assert.deepEqual(
    left.filter((cause) => !names.includes(cause)),
    [],
  )
})

test("the list has every name once, in words and with what it needs", () => {
  const lines = (breakableList().split("\nNot produced:\n")[0] ?? "").trimEnd().split("\n")
  assert.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    [...BREAKABLE.keys()],
  )
  assert.deepEqual(
    lines
      .filter((line) => /^(?:tls_expired|no_type|drips)\b/.test(line))
      .map((line) => line.replaceAll(/ {2,}/g, "  ")),
    [
      "tls_expired  certificate expired",
      `no_type  ${CAUSES.no_type.title}  with Prometheus 3.5`,
      "drips  another way to no_answer",
    ],
  )
})
