import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { startNameServer } from "./name-server.testing.ts"
import { nameResolver } from "./names.ts"

const { signal } = new AbortController()

const ZONE = {
  "both.example.org": ["192.0.2.14", "192.0.2.15", "2001:db8::14"],
  "v6.example.org": ["2001:db8::14"],
  "empty.example.org": [],
  "servfail.example.org": "servfail",
  "refused.example.org": "refused",
  "silent.example.org": "silent",
  "site-a.cluster.local": ["192.0.2.20"],
  "site.with.dots": ["192.0.2.30"],
} as const

/** A resolver with a name server that has this zone. */
async function start(t: TestContext, { hosts = "", config = "" } = {}) {
  const folder = temporaryFolder(t)
  const [hostsFile, configFile] = [await folder.write("hosts", hosts), await folder.write("resolv.conf", config)]
  const { server, lookups } = await startNameServer(t, ZONE)
  return { server, lookups, resolve: nameResolver({ hostsFile, configFile, servers: [server] }) }
}

test("finds the addresses of both families, IPv4 first", async (t) => {
  const { resolve } = await start(t)
  const addresses = ["192.0.2.14", "192.0.2.15", "2001:db8::14"]
  assert.deepEqual(await resolve("both.example.org", signal), { kind: "found", addresses, from: "dns" })
  assert.deepEqual(await resolve("v6.example.org", signal), { kind: "found", addresses: ["2001:db8::14"], from: "dns" })
})

test("distinguishes failures of a name server", async (t) => {
  const { resolve, server } = await start(t)
  for (const [host, failure] of [
    ["no.example.org", "not_found"],
    ["empty.example.org", "not_found"],
    ["servfail.example.org", "servfail"],
    ["refused.example.org", "denied"],
  ] as const) {
    assert.deepEqual(await resolve(host, signal), { kind: "failed", failure, servers: [server] }, host)
  }
})

test("rejects with the signal's reason while a name server is silent", async (t) => {
  const { resolve, lookups } = await start(t)
  const ending = new AbortController()
  const resolving = resolve("silent.example.org", ending.signal)
  const timer = setInterval(() => {
    if (lookups.has("silent.example.org")) ending.abort(new Error("too late"))
  }, 5)
  await assert.rejects(resolving, { message: "too late" })
  clearInterval(timer)
})

test("takes what the hosts file says, and requests no name server then", async (t) => {
  const { resolve, lookups } = await start(t, {
    hosts: "# 192.0.2.1 site-a\n192.0.2.2  other Site-A # here\n::9 site-a\n",
  })
  const addresses = ["192.0.2.2", "::9"]
  assert.deepEqual(await resolve("site-a", signal), { kind: "found", addresses, from: "hosts" })
  assert.equal(lookups.size, 0)
})

test("tries the search domains of resolv.conf in the order of a resolver", async (t) => {
  const { resolve, lookups } = await start(t, { config: "search example.org cluster.local\noptions ndots:2\n" })
  assert.deepEqual(await resolve("site-a", signal), { kind: "found", addresses: ["192.0.2.20"], from: "dns" })
  assert.deepEqual([...lookups.keys()], ["site-a.example.org", "site-a.cluster.local"])
  lookups.clear()
  assert.deepEqual(await resolve("site.with.dots", signal), { kind: "found", addresses: ["192.0.2.30"], from: "dns" })
  assert.deepEqual([...lookups.keys()], ["site.with.dots"])
})
