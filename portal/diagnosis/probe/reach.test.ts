import assert from "node:assert/strict"
import { createServer } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { test } from "node:test"
import type { TLSSocket } from "node:tls"
import { makeAuthority } from "../../../dev/testing/certificates.ts"
import { listen } from "../../../dev/testing/listen.ts"
import type { ResolveName } from "./names.ts"
import { deliver, probed, targetOf } from "./testing.ts"

/** Names lead to these addresses, whatever they are. */
const leadingTo =
  (...addresses: readonly string[]): ResolveName =>
  () =>
    Promise.resolve({ kind: "found", addresses, from: "dns" })

const NOT_REACHED = ["– token", "– selectors", "– response", "– exposition", "– freshness"]

for (const [failure, words] of [
  ["not_found", "does not exist (NXDOMAIN, or without an address)"],
  ["servfail", "the name server cannot resolve it (SERVFAIL)"],
  ["denied", "the name server refuses to resolve it (REFUSED)"],
  ["timeout", "the name server does not respond"],
  ["unreachable", "no name server listens"],
  ["malformed", "the name server's response is malformed"],
] as const) {
  test(`a name that leads nowhere is shown with the reason: ${failure}`, async (t) => {
    const target = await targetOf(t, 'url: "https://site-a.example.org", token: {file: token}')
    const resolve: ResolveName = () => Promise.resolve({ kind: "failed", failure, servers: ["192.0.2.53"] })
    const finding =
      failure === "not_found"
        ? "name_not_found: The name site-a.example.org does not exist."
        : "resolver_failed: The portal's name server 192.0.2.53 gives no usable response for site-a.example.org."
    assert.deepEqual(await probed(target, { resolve }), [
      `✕ name site-a.example.org: ${words}`,
      "– connection",
      "– tls",
      ...NOT_REACHED,
      finding,
    ])
  })
}

test("a name server that is silent longer than a probe may take is shown as such", async (t) => {
  const target = await targetOf(t, 'url: "https://site-a.example.org", token: {file: token}')
  const resolve: ResolveName = (_, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)))
  const [name, , , , , , , , finding] = await probed(target, { resolve, seconds: 0.05 })
  assert.deepEqual(
    [name, finding],
    [
      "✕ name site-a.example.org: the name server does not respond",
      "resolver_failed: The portal's name server gives no usable response for site-a.example.org.",
    ],
  )
})

test("of two addresses the dead one is named, and the other one is requested", async (t) => {
  const port = await listen(
    t,
    createServer((_, response) => deliver(response)),
  )
  const target = await targetOf(t, `url: "http://site-a.example.org:${port}", token: {file: token}`)
  const lines = await probed(target, { resolve: leadingTo("127.0.0.2", "127.0.0.1") })
  assert.deepEqual(
    [lines[0], lines[1], ...lines.slice(7)],
    [
      "✓ name 127.0.0.2, 127.0.0.1",
      "✓ connection 127.0.0.2:PORT refuses the connection; 127.0.0.1:PORT in N ms",
      "✓ freshness no timestamps: the moment of the scrape counts",
      "address_dead: Not every address of the site responds: no connection to 127.0.0.2:PORT.",
    ],
  )
})

test("where all addresses are dead, all are named", async (t) => {
  const target = await targetOf(t, 'url: "https://site-a.example.org:1", token: {file: token}')
  assert.deepEqual(await probed(target, { resolve: leadingTo("127.0.0.2", "127.0.0.1") }), [
    "✓ name 127.0.0.2, 127.0.0.1",
    "✕ connection 127.0.0.2:1 refuses the connection; 127.0.0.1:1 refuses the connection",
    "– tls",
    ...NOT_REACHED,
    "refused: Nothing listens on 127.0.0.2:1, 127.0.0.1:1.",
  ])
})

test("a name that leads to a metadata service is not followed, also as IPv6 writes it and beside others", async (t) => {
  let requests = 0
  const port = await listen(
    t,
    createServer((_, response) => (requests++, deliver(response))),
  )
  const target = await targetOf(t, `url: "http://site-a.example.org:${port}", token: {file: token}`)
  assert.deepEqual(await probed(target, { resolve: leadingTo("169.254.169.254", "::ffff:169.254.169.254") }), [
    "✕ name site-a.example.org leads to 169.254.169.254, ::ffff:169.254.169.254, which belongs to the portal's own machine",
    "– connection",
    "– tls",
    ...NOT_REACHED,
    "address_not_allowed: The name site-a.example.org leads to 169.254.169.254, ::ffff:169.254.169.254 of the portal's own machine or cloud, not of a site.",
  ])
  const [name, connection] = await probed(target, { resolve: leadingTo("169.254.169.254", "127.0.0.1") })
  assert.deepEqual(
    [name, connection, requests],
    ["✓ name 127.0.0.1; not used: 169.254.169.254", "✓ connection 127.0.0.1:PORT in N ms", 1],
  )
})

test("DNS rebinding: a name is resolved once, and the address that was checked is requested under its name", async (t) => {
  const authority = makeAuthority("authority")
  const seen: unknown[] = []
  const certificate = authority.issue({ name: "site", sans: ["DNS:site-a.example.org"] })
  const server = createSecureServer(certificate, (incoming, response) => {
    seen.push(incoming.headers.host?.replace(/\d+$/, "PORT"), (incoming.socket as TLSSocket).servername)
    deliver(response)
  })
  const port = await listen(t, server)
  const keys = `url: "https://site-a.example.org:${port}", token: {file: token}, tls: {ca_file: ca.pem}`
  const target = await targetOf(t, keys, { "ca.pem": authority.cert })
  const resolved: string[] = []
  const rebinding: ResolveName = (host) => {
    resolved.push(host)
    return Promise.resolve({
      kind: "found",
      addresses: [resolved.length === 1 ? "127.0.0.1" : "127.0.0.9"],
      from: "dns",
    })
  }
  const lines = await probed(target, { resolve: rebinding })
  assert.equal(lines[7], "✓ freshness no timestamps: the moment of the scrape counts")
  assert.deepEqual(resolved, ["site-a.example.org"])
  assert.deepEqual(seen, ["site-a.example.org:PORT", "site-a.example.org"])
})

test("a probe that is aborted ends at once, without a finding and with nothing passed that was not seen", async (t) => {
  const ending = new AbortController()
  const port = await listen(
    t,
    createServer(() => ending.abort()),
  )
  const target = await targetOf(t, `url: "http://127.0.0.1:${port}", token: {file: token}`)
  assert.deepEqual(await probed(target, { signal: ending.signal }), [
    "✓ name 127.0.0.1",
    "✓ connection 127.0.0.1:PORT in N ms",
    "· tls the url is http://",
    ...NOT_REACHED,
  ])
  assert.deepEqual(await probed(target, { signal: AbortSignal.abort() }), [
    "✓ name 127.0.0.1",
    "– connection",
    "– tls",
    ...NOT_REACHED,
  ])
})

test("what a probe does not expect becomes a finding, not an error", async (t) => {
  const target = await targetOf(t, 'url: "https://site-a.example.org", token: {file: token}')
  const resolve: ResolveName = () => Promise.reject(new Error("the resolver broke over s3cret-token"))
  const lines = await probed(target, { resolve })
  assert.deepEqual(
    [lines[0], lines[8]],
    [
      "✕ name the resolver broke over …",
      "other: The scrape failed for a reason that is not known here: the resolver broke over ….",
    ],
  )
})
