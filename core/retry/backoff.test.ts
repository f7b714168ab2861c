import assert from "node:assert/strict"
import { test } from "node:test"
import { backoff, jitter, pause } from "./backoff.ts"

const CASES: readonly (readonly [string, number, Parameters<typeof backoff>[1], readonly [number, number]])[] = [
  ["begins with the least wait", 1, {}, [0.25, 0.5]],
  ["doubles with each failure", 3, {}, [1, 2]],
  ["does not exceed the most", 20, {}, [15, 30]],
  ["does not exceed the most after very many failures", 5000, {}, [15, 30]],
  ["has bounds of its own", 2, { least: 1, most: 300 }, [1, 2]],
  ["waits as long as the server asks", 1, { retryAfter: 60 }, [60, 60]],
  ["does not wait less because the server asks for less", 20, { retryAfter: 1 }, [15, 30]],
]

for (const [name, failures, options, [least, most]] of CASES) {
  test(`a back-off ${name}`, (t) => {
    let random = 0
    t.mock.method(Math, "random", () => random)
    assert.equal(backoff(failures, options), least)
    random = 1
    assert.equal(backoff(failures, options), most)
  })
}

test("jitter differs from call to call", () => {
  assert.notEqual(jitter(100), jitter(100))
})

test("a pause ends without an error when its signal is aborted, before it or during it", async () => {
  const ending = new AbortController()
  const pausing = pause(3600, ending.signal)
  ending.abort()
  assert.equal(await pausing, undefined)
  assert.equal(await pause(3600, ending.signal), undefined)
})
