import assert from "node:assert/strict"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import type { Metadata } from "../format/metadata.ts"
import { createMetadataCache } from "./metadata-cache.ts"

const of = (help: string): Metadata => new Map([["up", { type: "gauge", help, unit: "" }]])
const helpOf = (metadata: Metadata): string | undefined => metadata.get("up")?.help
const NEVER = new AbortController().signal

function open() {
  let time = 0
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "exposition", (line) => lines.push(line))
  const cache = createMetadataCache(() => time, log)
  return {
    lines: () => lines.map((line) => /msg="?([^"]+)"?.*tenant=(\w+)/.exec(line)?.slice(1).join(": ")),
    move: (milliseconds: number): number => (time += milliseconds),
    get: async (tenant: string, read: () => Promise<Metadata>, signal = NEVER) =>
      helpOf(await cache.of(`1 ${tenant}`, tenant, read, signal)),
  }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test("reads metadata again after a minute, and serves what it has meanwhile", async () => {
  const { get, move } = open()
  assert.equal(await get("a", () => Promise.resolve(of("one"))), "one")
  move(59_999)
  assert.equal(await get("a", () => Promise.reject(new Error("not to be read"))), "one")
  move(1)
  assert.equal(await get("a", () => Promise.resolve(of("two"))), "one")
  await turn()
  assert.equal(await get("a", () => Promise.reject(new Error("not to be read"))), "two")
})

test("where there is none yet, waits for it again after five seconds, so that a new tenant soon has types", async () => {
  const { get, move, lines } = open()
  const none = (): Promise<Metadata> => Promise.resolve(new Map())
  assert.equal(await get("a", none), undefined)
  move(4999)
  assert.equal(await get("a", () => Promise.reject(new Error("not to be read"))), undefined)
  move(1)
  assert.equal(await get("a", () => Promise.resolve(of("one"))), "one")
  move(59_999)
  assert.equal(await get("a", none), "one")
  assert.deepEqual(lines(), [])
})

test("does not wait again where there was none and then a failure", async () => {
  const { get, move } = open()
  assert.equal(await get("a", () => Promise.resolve(new Map())), undefined)
  move(5000)
  assert.equal(await get("a", () => Promise.reject(new Error("down"))), undefined)
  move(10_000)
  assert.equal(await get("a", () => Promise.resolve(of("one"))), undefined)
  await turn()
  assert.equal(await get("a", () => Promise.reject(new Error("not to be read"))), "one")
})

test("reads once for all that wait, and each tenant's apart", async () => {
  const { get } = open()
  let reads = 0
  const { promise, resolve } = Promise.withResolvers<Metadata>()
  const read = (): Promise<Metadata> => (reads++, promise)
  const waiting = [get("a", read), get("a", read), get("b", () => Promise.resolve(of("of b")))]
  resolve(of("of a"))
  assert.deepEqual(await Promise.all(waiting), ["of a", "of a", "of b"])
  assert.equal(reads, 1)
})

test("uses what was known where it cannot be read, tries again after ten seconds, and logs each change once", async () => {
  const { get, move, lines } = open()
  const fail = (): Promise<Metadata> => Promise.reject(new Error("the store cannot be reached"))
  assert.equal(await get("b", fail), undefined)
  assert.equal(await get("a", () => Promise.resolve(of("one"))), "one")
  for (let i = 0; i < 3; i++) {
    move(60_000)
    assert.equal(await get("a", fail), "one")
    await turn()
  }
  move(9_999)
  assert.equal(await get("a", () => Promise.resolve(of("too early"))), "one")
  await turn()
  assert.equal(await get("a", fail), "one")
  move(1)
  await get("a", () => Promise.resolve(of("two")))
  await turn()
  assert.equal(await get("a", fail), "two")
  const cannot = "metadata cannot be read, series go without type and help, or with those known before"
  assert.deepEqual(lines(), [`${cannot}: b`, `${cannot}: a`, "metadata can be read again: a"])
})

test("a client that leaves ends no reading that others wait for", async () => {
  const { get } = open()
  const { promise, resolve } = Promise.withResolvers<Metadata>()
  const leaving = new AbortController()
  const left = get("a", () => promise, leaving.signal)
  const stays = get("a", () => promise)
  leaving.abort(new Error("left"))
  await assert.rejects(left, { message: "left" })
  resolve(of("one"))
  assert.equal(await stays, "one")
})

test("does not wait for metadata longer than two seconds, where the store hangs with it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  const { get } = open()
  const series = get("a", () => Promise.withResolvers<Metadata>().promise)
  t.mock.timers.tick(2000)
  assert.equal(await series, undefined)
})

test("keeps no more families than 200,000 of all tenants", async () => {
  const { get } = open()
  const many = new Map(
    Array.from({ length: 150_000 }, (_, index) => [`m${index}`, { type: "gauge", help: "", unit: "" }]),
  )
  await get("a", () => Promise.resolve(of("one")))
  await get("b", () => Promise.resolve(many as unknown as Metadata))
  await get("c", () => Promise.resolve(many as unknown as Metadata))
  assert.equal(await get("a", () => Promise.resolve(of("two"))), "two")
})
