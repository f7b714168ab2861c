import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "./component.ts"
import { findCortex, startCortex } from "./cortex.ts"
import { keyOf } from "./remote-write/elements.ts"
import { readAll } from "./remote-write/read-back.ts"
import { bodyOf, HEADERS, write } from "./remote-write/write.ts"

const labels = { __name__: "test", tenant_id: "red" }

test("what a tenant wrote stays readable when Cortex is killed or stopped, and is no other tenant's", async (t) => {
  const program = need(t, findCortex())
  if (program === undefined) return
  const cortex = await startCortex(t, program)
  const begin = Date.now() - 10_000
  const push = (tenant: string, version: 1 | 2, second: number) => {
    const body = bodyOf([{ labels, value: second, timestamp: begin + second * 1000 }], version)
    return write(`${cortex.url}/api/v1/push`, body, { ...HEADERS[version], "x-scope-orgid": tenant })
  }
  const values = async (tenant: string) => (await readAll(`${cortex.url}/prometheus`, tenant)).map(keyOf)
  const key = (second: number, bits: string) => `sample ${JSON.stringify(labels)} @${begin + second * 1000} ${bits}`

  assert.equal((await push("red", 1, 1)).status, 200)
  await cortex.kill()
  await cortex.start()
  assert.equal((await push("red", 2, 2)).status, 204)
  await cortex.stop()
  await cortex.start()
  assert.deepEqual(await values("red"), [key(1, "4607182418800017408"), key(2, "4611686018427387904")])
  assert.deepEqual(await values("blue"), [])
})

test("limits of a tenant are in force when they were set, and flags are those of the program", async (t) => {
  const program = need(t, findCortex())
  if (program === undefined) return
  const cortex = await startCortex(t, program, {
    limits: { red: { max_series_per_user: 1 } },
    flags: ["-distributor.remote-writev2-enabled=false"],
  })
  const push = (tenant: string, version: 1 | 2, name: string) => {
    const body = bodyOf([{ labels: { __name__: name }, value: 1, timestamp: Date.now() }], version)
    return write(`${cortex.url}/api/v1/push`, body, { ...HEADERS[version], "x-scope-orgid": tenant })
  }
  assert.equal((await push("red", 2, "a")).status, 415)
  assert.equal((await push("red", 1, "a")).status, 200)
  assert.equal((await push("red", 1, "b")).status, 400)
  await cortex.limits({ red: { max_series_per_user: 2 }, blue: { max_series_per_user: 1 } })
  assert.equal((await push("red", 1, "b")).status, 200)
  assert.equal((await push("blue", 1, "a")).status, 200)
  assert.equal((await push("blue", 1, "b")).status, 400)
})
