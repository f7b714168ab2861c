import assert from "node:assert/strict"
import { test } from "node:test"
import { giveUpOverdue } from "./give-up.ts"
import { FINALIZER, FORCE_DELETE, type RuleResource } from "./rule-resource.ts"

const deletedAt = Date.parse("2026-01-01T00:00:00Z")

function deleted(name: string, annotations = {}): readonly [string, RuleResource] {
  const deletionTimestamp = new Date(deletedAt).toISOString()
  const metadata = { namespace: "a", name, finalizers: [FINALIZER], deletionTimestamp, annotations }
  return [`a/${name}`, { metadata }]
}

/** The names of those that are let go, seconds after the deletion, where groups are deleted since `begin`. */
async function letGo(seconds: number, begin: number): Promise<string> {
  const gone: string[] = []
  const resources = new Map([deleted("late"), deleted("forced", { [FORCE_DELETE]: "true" })])
  const source = { snapshot: () => ({ resources, incomplete: new Map() }), onChange: () => () => undefined }
  const nothing = () => Promise.resolve()
  const ledger = { owned: () => [], record: nothing, report: nothing, release: nothing }
  const at = (offset: number) => new Date(deletedAt + 1000 * offset)
  const gaveUp = ({ metadata }: RuleResource) => void gone.push(metadata.name)
  const options = { deadline: 3600, begin: at(begin), now: () => at(seconds), gaveUp }
  await giveUpOverdue(source, ledger, options, new AbortController().signal)
  return gone.join()
}

test("lets a deleted resource go after the deadline, and after ten seconds where that is forced", async () => {
  const times = [9, 10, 3599, 3600] as const
  assert.deepEqual(await Promise.all(times.map((seconds) => letGo(seconds, -9000))), [
    ...["", "forced", "forced", "late,forced"],
  ])
})

test("deletes the groups first of what was deleted long before the informer was started", async () => {
  const times = [9000, 9009, 9010, 9059, 9060] as const
  assert.deepEqual(await Promise.all(times.map((seconds) => letGo(seconds, 9000))), [
    ...["", "", "forced", "forced", "late,forced"],
  ])
})
