import assert from "node:assert/strict"
import { test } from "node:test"
import { ATTACKS } from "../../../../dev/testing/attacks/attacks.ts"
import { QUERY, TOKEN } from "../../../../dev/testing/attacks/request.ts"
import { SPELLINGS } from "../../../../dev/testing/attacks/spellings.ts"
import { sendRaw } from "../../../../dev/testing/send-raw.ts"
import type { ReceivedRequest } from "../store.testing.ts"
import { startAttacked } from "./attacked.testing.ts"

/** The path that a site's proxy does not have: here a rightful request, with and without selectors. */
const SERVED: ReadonlySet<string> = new Set([`the path /metrics?${QUERY}`, "the path of the admin's port"])

for (const { name, bytes, statuses: ofProxy } of ATTACKS) {
  const statuses = SERVED.has(name) ? [200] : ofProxy
  test(`is not fooled by ${name}`, async (t) => {
    const { store, port, log } = await startAttacked(t)
    const response = await sendRaw(port, bytes)
    assert.deepEqual(statusesOf(response), statuses, response)
    const read = statuses.filter((status) => status === 200)
    assert.deepEqual(
      store.reads().map(shown),
      read.map(() => ALLOWED),
    )
    const others = store.received.filter(({ method }) => method !== "POST").map(shown)
    assert.deepEqual(others, read.length === 0 ? [] : [METADATA])
    assert.doesNotMatch(response, new RegExp(`${TOKEN}|location:|secret|a=b`, "i"))
    assert.equal(log().includes(TOKEN), false)
  })
}

for (const { name, bytes } of SPELLINGS) {
  test(`reads the same for a rightful request ${name}`, async (t) => {
    const { store, port } = await startAttacked(t)
    const response = await sendRaw(port, bytes)
    assert.deepEqual(statusesOf(response), [200], response)
    assert.match(response, /^project_vcpu_usage\{.*\} 1$/m)
    assert.deepEqual(store.received.map(shown).toSorted(byUrl), [METADATA, ALLOWED])
  })
}

const HEADERS = ["connection", "host", "user-agent", "x-scope-orgid"]
const METADATA = {
  ...{ method: "GET", url: "/prometheus/api/v1/metadata", tenants: ["team-a"], headers: HEADERS, matchers: [] },
}
const ALLOWED = {
  method: "POST",
  url: "/prometheus/api/v1/read",
  tenants: ["team-a"],
  headers: [
    ...["connection", "content-encoding", "content-length", "content-type", "host", "user-agent"],
    ...["x-prometheus-remote-read-version", "x-scope-orgid"],
  ],
  matchers: [["__name__ 2 project_.*_usage", "job 0 project_usages"]],
}

function shown({ method, url, rawHeaders, queries }: ReceivedRequest): typeof ALLOWED {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  const tenants = rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === "x-scope-orgid")
  const matchers = queries.map((query) => query.matchers.map(({ name, type, value }) => `${name} ${type} ${value}`))
  return { method, url, tenants, headers: names.toSorted(), matchers }
}

const byUrl = (a: typeof ALLOWED, b: typeof ALLOWED): number => (a.url < b.url ? -1 : 1)

function statusesOf(response: string): readonly number[] {
  return [...response.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))
}
