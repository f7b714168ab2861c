import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "../../../dev/testing/component.ts"
import { runWithThreadLimit } from "../../../dev/testing/thread-limit.ts"

test("reads a large policy here, and warns, where no thread can be started for it", async (t) => {
  const file = JSON.stringify(new URL("parse.ts", import.meta.url).href)
  const found = await runWithThreadLimit(`
    import { parsePolicy } from ${file}
    const text = "reuse: 7s\\n#" + "x".repeat(100_000)
    for (const allowed of [true, false]) {
      await allowThreads(allowed)
      const warnings = []
      const { value } = await parsePolicy(text, "policy.yaml", warnings)
      const faults = await parsePolicy("tokens: 7\\n" + text, "policy.yaml", []).catch(({ message }) => message)
      console.log(JSON.stringify([value.reuse, faults, warnings.map(({ where, message }) => where + ": " + message)]))
    }
    process.disconnect()`)
  const output = need(t, found)
  if (output === undefined) return
  const fault = "policy.yaml:1:1 tokens: must be a list of tokens"
  const warning =
    "policy.yaml: was read without a thread of its own, as none can be started (EAGAIN): requests waited meanwhile"
  assert.deepEqual(
    output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
    [
      [7, fault, []],
      [7, fault, [warning]],
    ],
  )
})
