import assert from "node:assert/strict"
import { test } from "node:test"
import { giveUpOverdue, timeDeletions } from "./give-up.ts"
import { FINALIZER, FORCE_DELETE, type RuleResource } from "./rule-resource.ts"

const deletedAt = Date.parse("2026-01-01T00:00:00Z")

function deleted(name: string, annotations = {}): readonly [string, RuleResource] {
  const deletionTimestamp = new Date(deletedAt).toISOString()
  const metadata = { namespace: "a", name, finalizers: [FINALIZER], deletionTimestamp, annotations }
  return [`a/${name}`, { metadata }]
}

const resources = new Map([deleted("late"), deleted("forced", { [FORCE_DELETE]: "true" })])

/** The names of those that are let go, at seconds of a clock that only goes forward, and of one that shows the time. */
function start(isThere: (at: number) => boolean) {
  let [at, time] = [0, 0]
  const gone: string[] = []
  const snapshot = () => ({
    resources: isThere(at) ? resources : new Map<string, RuleResource>(),
    incomplete: new Map(),
  })
  const nothing = () => Promise.resolve()
  const times = timeDeletions(
    () => new Date(deletedAt + 1000 * time),
    () => 1000 * at,
  )
  const ledger = { owned: () => [], record: nothing, report: nothing, release: nothing }
  const gaveUp = ({ metadata }: RuleResource) => void gone.push(metadata.name)
  return async (seconds: number, shown = seconds): Promise<string> => {
    at = seconds
    time = shown
    const source = { snapshot, onChange: () => () => undefined }
    await giveUpOverdue(source, ledger, { deadline: 3600, times, gaveUp }, new AbortController().signal)
    return gone.splice(0).join()
  }
}

async function inTurn(steps: readonly (() => Promise<string>)[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const step of steps) found.push(await step())
  return found
}

test("lets a deleted resource go after the deadline, and after ten seconds where that is forced", async () => {
  const at = start((now) => now >= 0)
  assert.equal(await start(() => false)(5), "")
  const found = await inTurn([0, 9, 10, 3599, 3600].map((seconds) => () => at(seconds)))
  assert.deepEqual(found, ["", "", "forced", "forced", "late,forced"])
})

test("deletes the groups first of what was deleted long before the informer was started", async () => {
  const at = start(() => true)
  const found = await inTurn([0, 9, 10, 59, 60].map((seconds) => () => at(seconds, 9000 + seconds)))
  assert.deepEqual(found, ["", "", "forced", "forced", "late,forced"])
})

test("a clock that goes wrong, or jumps, does not let go what is deleted while the informer looks on", async () => {
  for (const wrong of [7200, -7200]) {
    const at = start((now) => now >= 5)
    const found = await inTurn([0, 5, 14, 15, 3604, 3605].map((seconds) => () => at(seconds, seconds + wrong)))
    assert.deepEqual(found, ["", "", "", "forced", "forced", "late,forced"])
  }
})
