import assert from "node:assert/strict"
import { test } from "node:test"
import { Wrong } from "#core/config/settings.ts"
import { network } from "./networks.ts"

test("a network contains its addresses, as sockets show them", () => {
  const cases: readonly [network: string, inside: readonly string[], outside: readonly string[]][] = [
    ["10.1.2.0/24", ["10.1.2.3", "::ffff:10.1.2.3"], ["10.1.3.3", "::ffff:10.1.3.3", "::1", "", "10.1.2", "x"]],
    ["192.0.2.7", ["192.0.2.7"], ["192.0.2.8"]],
    ["10.1.2.3/9", ["10.1.2.3", "10.127.0.1"], ["10.128.0.1"]],
    ["2001:db8::/64", ["2001:db8::1", "2001:db8::ffff%eth0"], ["2001:db8:0:1::1", "10.1.2.3"]],
    ["fe80::/10", ["fe80::1%eth0"], ["fd00::1"]],
    ["::1", ["::1"], ["::2", "127.0.0.1"]],
  ]
  for (const [text, inside, outside] of cases) {
    const parsed = network(text)
    if (parsed instanceof Wrong) assert.fail(text)
    assert.deepEqual(
      [inside.filter((one) => !parsed.contains(one)), outside.filter((one) => parsed.contains(one))],
      [[], []],
      text,
    )
  }
})

test("a network is an address with at most its bits, and never every address", () => {
  for (const text of [
    "",
    "10.0.0.0/33",
    "10.0.0/8",
    "10.0.0.0/8/8",
    "::/129",
    "fe80::1%eth0",
    "proxy.example.org",
    "10.0.0.0/x",
    "10.0.0.0/",
  ])
    assert.match((network(text) as Wrong).reason ?? text, /^must be addresses such as/, text)
  for (const text of ["0.0.0.0/0", "::/0"]) assert.match((network(text) as Wrong).reason, /^would trust every address/)
})
