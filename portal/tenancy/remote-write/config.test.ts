import assert from "node:assert/strict"
import { test } from "node:test"
import { isReachable, listeningOf } from "#core/http/settings.ts"
import { bodyLimit, requireRoom, shareOf } from "./config.ts"
import { startTestProxy, valuesOf } from "./testing.ts"

const addressOf = (args: readonly string[], env = {}) => listeningOf(valuesOf(args, env))

test("listens where the original did, and where its flags or ours say", () => {
  const [local, all] = ["127.0.0.1", "0.0.0.0"]
  assert.deepEqual(addressOf([]), { addresses: [{ host: local, port: 19_093 }], flag: "--web.listen-address" })
  assert.deepEqual(addressOf(["--port", "80"]), { addresses: [{ host: local, port: 80 }], flag: "--port" })
  assert.deepEqual(addressOf(["--interface", all]).addresses, [{ host: all, port: 19_093 }])
  assert.deepEqual(addressOf(["--interface", "::", "--port", "1"]).addresses, [{ host: "::", port: 1 }])
  assert.deepEqual(addressOf([], { FEDSTACK_PORT: "7" }).addresses, [{ host: local, port: 7 }])
  assert.deepEqual(addressOf(["--web.listen-address", ":5"]).addresses, [{ host: "", port: 5 }])
})

test("refuses both kinds of flags at once, and an interface that is none", () => {
  assert.throws(() => addressOf(["--port", "80", "--web.listen-address", ":5"]), {
    message: "--port: is set beside --web.listen-address; set only one of the two",
  })
  assert.throws(() => addressOf(["--interface", "eth0 x"]), {
    message: "--interface: must be an address such as 127.0.0.1, :: or 0.0.0.0",
  })
})

test("warns where others can reach it without authentication, and only there", async (t) => {
  const reachable = (args: readonly string[]) => isReachable(addressOf(args))
  assert.deepEqual([[], ["--interface", "::1"], ["--interface", "localhost"]].map(reachable), [false, false, false])
  assert.deepEqual(
    [
      ["--interface", "0.0.0.0"],
      ["--web.listen-address", ":1"],
      ["--interface", "::"],
    ].map(reachable),
    [true, true, true],
  )
  const warning = "everybody who can reach this address may write for every tenant"
  assert.ok((await startTestProxy(t, ["--interface", "0.0.0.0"])).log().includes(warning))
  assert.ok(!(await startTestProxy(t, [])).log().includes(warning))
})

test("refuses bounds that a large request could never pass", () => {
  assert.throws(() => requireRoom(valuesOf(["--limit.bytes-in-flight", "64MiB"])), {
    message:
      "--limit.bytes-in-flight: must be at least three times --limit.decoded-bytes, 100663296 bytes: a large request needs as much",
  })
  requireRoom(valuesOf([]))
})

test("a body is bounded by what can be in it", () => {
  const most = (args: readonly string[]) => bodyLimit(valuesOf(args))
  assert.deepEqual(most([]), { most: 39_146_870, setting: "--limit.decoded-bytes, compressed" })
  assert.deepEqual(most(["--content-length-limit", "1MiB"]), { most: 1_048_576, setting: "--content-length-limit" })
})

test("workers have a share of the bounds, and room for a large request", () => {
  const { bytesInFlight, senderBytesInFlight, parallel, queueBytes } = shareOf(
    valuesOf(["--limit.bytes-in-flight", "1GiB"]),
    4,
  )
  assert.deepEqual([bytesInFlight, senderBytesInFlight], [2 ** 28, 3 * 2 ** 25])
  assert.deepEqual([parallel, queueBytes], [16, 2 ** 24])
})
