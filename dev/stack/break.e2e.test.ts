import assert from "node:assert/strict"
import { test } from "node:test"
import { start } from "../testing/child.ts"
import { until } from "../testing/until.ts"
import { BREAKABLE } from "./breakable.ts"
import { nothingLeft, running, UP, up } from "./up.testing.ts"

interface Row {
  readonly name: string
  readonly state: string
  readonly cause: string | null
  readonly reason: string | null
  readonly todo: string | null
}

test("--break shows what is wrong with each broken site and what to do, while the good ones deliver", async (t) => {
  const child = up(t, "--break", "redirect,tls_client_cert", "--break", "silent_empty")
  if (child === undefined) return
  const output = await running(child)
  const [, portal = ""] = /^portal {2}page +(http:\S+)\/$/m.exec(output) ?? []
  // the good ones deliver nothing before their own first scrapes
  const sites = await until("the good sites to deliver", async () => {
    const listed = (await (await fetch(`${portal}/api/v1/sites`)).json()) as { readonly sites: readonly Row[] }
    const good = listed.sites.filter(({ name }) => name.startsWith("site-"))
    return good.every(({ state }) => state === "ok") && listed.sites.toSorted((a, b) => a.name.localeCompare(b.name))
  })
  assert.deepEqual(
    sites.map(({ name, state, cause }) => [name, state, cause]),
    [
      ["broken-redirect", "down", "redirect"],
      ["broken-silent-empty", "down", "silent_empty"],
      ["broken-tls-client-cert", "down", "tls_client_cert"],
      ["site-a", "ok", null],
      ["site-b", "ok", null],
    ],
  )
  for (const { name, cause, reason, todo } of sites.slice(0, 3))
    assert.ok(output.includes(`${name}: Not delivering, ${cause}\n  ${reason}\n  ${todo}\n`), output)
  const page = await (await fetch(`${portal}/`)).text()
  for (const { name } of sites) assert.ok(page.includes(`/sites/${name}"`), name)
})

test("--check --break ends as soon as every cause that can be broken is found, and leaves nothing", async (t) => {
  const names = [...BREAKABLE].flatMap(([name, { versions }]) => (versions === undefined ? [name] : []))
  const child = up(t, "--check", "--break", names.join(","))
  if (child === undefined) return
  assert.equal(await child.ended, 0, child.output())
  const found = [...child.output().matchAll(/^broken-(\S+): .*, (no cause|\w+)$/gm)].map(([, name, cause]) => [
    name,
    cause,
  ])
  assert.deepEqual(
    found,
    names.map((name) => [name.replaceAll("_", "-"), BREAKABLE.get(name)?.cause]),
  )
  await nothingLeft(child)
})

test("--break list shows what can be broken, and starts nothing", async () => {
  const child = start(UP, ["--break", "list"])
  assert.equal(await child.ended, 0)
  assert.match(child.output(), /^tls_expired +certificate expired$/m)
})
