import assert from "node:assert/strict"
import { test } from "node:test"
import { createRegistry, VERSION } from "./registry.ts"

test("a registry holds the build information and the process's metrics, and shares nothing with another", async () => {
  const [first, second] = [createRegistry(), createRegistry()]
  assert.match(VERSION, /^\d+\.\d+\.\d+/)
  for (const registry of [first, second]) {
    const text = await registry.metrics()
    assert.ok(text.includes(`fedstack_build_info{version="${VERSION}",nodeversion="${process.versions.node}"} 1\n`))
    assert.match(text, /^process_cpu_seconds_total \d/m)
    assert.match(text, /^process_resident_memory_bytes \d/m)
  }
})

test("only a busy process exports the event loop's delays, for which it has to wake up all the time", async () => {
  const delays = async (busy: boolean): Promise<readonly string[]> =>
    (await createRegistry({ busy }).metrics()).match(/^nodejs_eventloop_lag\w*/gm) ?? []
  const all = ["", "_min", "_max", "_mean", "_stddev", "_p50", "_p90", "_p99"]
  assert.deepEqual(await delays(false), ["nodejs_eventloop_lag_seconds"])
  assert.deepEqual(
    await delays(true),
    all.map((name) => `nodejs_eventloop_lag${name}_seconds`),
  )
})
