import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { ConfigurationError } from "#core/errors.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { faultsOf, load } from "./testing.ts"

const FAULT = /^(?:[\w.-]+:\d+:\d+(?: \S.*)?|[\w.-]+): \S.*$/
const ENV = { PORTAL_TOKEN: "pJ4kq0Xw7sPl2Vn8Tb5y" }

/** Anything that YAML can hold at the place of anything else. */
const replacements = fc.constantFrom(
  "null",
  "~",
  "[]",
  "{}",
  "0",
  "-1",
  "1e400",
  ".nan",
  "true",
  '""',
  "[[]]",
  "{a: {b: 1}}",
  "!!x 1",
  "&a [*a]",
  "*gone",
  "<<: 1",
)

test("reports every fault with its place, whatever a policy holds in place of a value", async (t) => {
  const folder = temporaryFolder(t)
  const names = ["../policy.example.yaml", "testdata/good/complete.yaml"]
  const texts = await Promise.all(names.map((name) => readFile(join(import.meta.dirname, name), "utf8")))
  await folder.write("tokens.txt", "hR8wq-2fkLz.91mXbT\n")
  await folder.write("jwks.json", await readFile(join(import.meta.dirname, "testdata/good/jwks.json"), "utf8"))
  const values = texts.map((text) => [...text.matchAll(/(?<=: |- |\[|, )[^\s:,[\]{}#][^\n,\]}]*/g)])
  await fc.assert(
    fc.asyncProperty(fc.nat(1), fc.nat(), replacements, async (which, at, replacement) => {
      const text = texts[which] ?? ""
      const places = values[which] ?? []
      const place = places[at % places.length]
      const begin = place?.index ?? 0
      const changed = text.slice(0, begin) + replacement + text.slice(begin + (place?.[0].length ?? 0))
      const faults = await faultsOf(await folder.write("p.yaml", changed), { env: ENV })
      for (const line of faults.trimEnd().split("\n")) {
        assert.ok(FAULT.test(line) || line === "p.yaml has no fault", `${line}\n${changed}`)
      }
    }),
    { numRuns: 300 },
  )
})

for (const text of [
  "",
  "null",
  "[]",
  "7",
  "tokens",
  "- a",
  "%",
  "\0",
  "tokens: *x",
  "a: &a [*a]",
  "? [a]\n: b",
  "a: 1\na: 2",
  "---\n---\n",
]) {
  test(`the policy ${JSON.stringify(text)} is a fault`, async (t) => {
    const file = await temporaryFolder(t).write("p.yaml", text)
    await assert.rejects(load(file), ConfigurationError)
  })
}

test("aliases that grow without end are a fault", async (t) => {
  const levels = Array.from(
    { length: 12 },
    (_, index) => `l${index + 1}: &l${index + 1} [${`*l${index}, `.repeat(9)}*l${index}]`,
  )
  const file = await temporaryFolder(t).write("p.yaml", `l0: &l0 [x]\n${levels.join("\n")}\n`)
  await assert.rejects(load(file), ConfigurationError)
})
