import assert from "node:assert/strict"
import { test } from "node:test"
import { ConfigurationError, UsageError } from "#core/errors.ts"
import { duplicates, Faults } from "./faults.ts"

const messageOf = (faults: Faults): string => {
  try {
    faults.orThrow()
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
  }
  return "none"
}

test("reports all faults at once, each file's in the order of its lines", () => {
  const faults = new Faults()
  faults.add("b.yaml:10:1 x[1]", "third")
  faults.add("a.yaml", "a file by itself")
  faults.add("b.yaml:9:12 x[0].y", "second")
  faults.add("b.yaml:9:3 x[0]", "first")
  faults.add("a.yaml:2", "a line")
  faults.add("b.yaml:10:1 x[1]", "fourth")
  assert.equal(
    messageOf(faults),
    `b.yaml:9:3 x[0]: first
b.yaml:9:12 x[0].y: second
b.yaml:10:1 x[1]: third
b.yaml:10:1 x[1]: fourth
a.yaml: a file by itself
a.yaml:2: a line`,
  )
})

test("throws nothing where nothing is wrong", () => {
  const faults = new Faults()
  faults.orThrow()
  faults.orThrow(UsageError)
  assert.equal(faults.any, false)
})

test("keeps the faults of what could not be read, and goes on", async () => {
  const faults = new Faults()
  const broken = (where: string) => new ConfigurationError([{ where, message: "cannot be read" }])
  assert.equal(
    faults.collect(() => 1),
    1,
  )
  assert.equal(await faults.collectFrom(Promise.resolve(2)), 2)
  const unreadable = faults.collect((): number => {
    throw broken("a")
  })
  assert.deepEqual([unreadable, await faults.collectFrom(Promise.reject(broken("b")))], [undefined, undefined])
  assert.equal(messageOf(faults), "a: cannot be read\nb: cannot be read")
})

test("a fault of ours is thrown at once", async () => {
  const faults = new Faults()
  const bug = new Error("bug")
  assert.throws(
    () =>
      faults.collect(() => {
        throw bug
      }),
    bug,
  )
  await assert.rejects(faults.collectFrom(Promise.reject(bug)), bug)
})

test("wrong flags are a usage error", () => {
  const faults = new Faults()
  faults.add("--port", "must be a number")
  assert.throws(() => faults.orThrow(UsageError), new UsageError([{ where: "--port", message: "must be a number" }]))
})

test("names each duplicate with the first of its kind, and compares no item without a key", () => {
  const keyOf = (item: string): string | undefined => (item === "" ? undefined : item[0])
  assert.deepEqual(duplicates(["a1", "b1", "", "a2", "", "a3"], keyOf), [
    ["a2", "a1"],
    ["a3", "a1"],
  ])
})
