import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { recordReads } from "#core/files/watch.ts"
import { faultsOf, load } from "./testing.ts"

const testdata = join(import.meta.dirname, "testdata")
const example = join(import.meta.dirname, "../tenants.example.yaml")
const ENV = { SHORT: "abc", GOOD: "zJ4kq0Xw7sPl2Vn8Tb5y" }
const noCertificates = () => Promise.resolve("need TLS")

for (const name of ["shape", "meaning"]) {
  test(`names every fault of bad/${name}.yaml at once, with its place`, async () => {
    const file = join(testdata, `bad/${name}.yaml`)
    const expected = await readFile(file.replace(/\.yaml$/, ".txt"), "utf8")
    assert.equal(await faultsOf(file, { env: ENV, noCertificates }), expected)
  })
}

test("no fault shows a token", async () => {
  for (const name of ["shape", "meaning"]) {
    const text = await readFile(join(testdata, `bad/${name}.txt`), "utf8")
    for (const secret of ["abc", "user:password", "5f3b1d7c", ENV.GOOD]) {
      assert.equal(text.includes(secret), false, secret)
    }
  }
})

test("the example is right", async () => assert.equal(await faultsOf(example), "tenants.example.yaml has no fault\n"))

test("understands what the example says of tenants", async () => {
  const { clients, upstreams, lookBack, timestamps, reuse } = await load(example)
  assert.deepEqual(
    clients.map(({ name, tenants }) => [name, tenants]),
    [
      ["team-a", ["team-a"]],
      ["operations", ["team-a", "team-b"]],
      ["teams", []],
      ["partner", ["partner"]],
    ],
  )
  assert.deepEqual(
    [upstreams.map(({ href }) => href), lookBack, timestamps, reuse],
    [["http://cortex:9009/prometheus"], 60, false, 1],
  )
})

test("reads the file again when it changes, and all that it names", async () => {
  const { read, contents } = recordReads()
  await load(example, {}, read)
  assert.deepEqual([...contents.keys()], [example])
})
