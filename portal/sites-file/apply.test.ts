import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import type { RolloutProblem } from "../federation/rollout.ts"
import { openChanges } from "./apply.ts"
import type { Change } from "./edit.ts"

const REMOVE: Change = { kind: "remove", name: "a" }
const refused = (reason: string): RolloutProblem => ({
  ...{ step: "reloading", code: "RELOAD_REFUSED", since: new Date(0) },
  reason,
})

/** What comes of a change where this problem was there before, and `after` it. */
async function outcomeOf(
  t: TestContext,
  before: RolloutProblem,
  after: { problem?: RolloutProblem; confirmed?: Date },
) {
  const file = await temporaryFolder(t).write("sites.yaml", "sites:\n  - name: a\n")
  let [problem, confirmed]: [RolloutProblem | undefined, Date | undefined] = [before, undefined]
  const reload = (): Promise<void> => {
    ;({ problem = before, confirmed } = after)
    return Promise.resolve()
  }
  const rollouts = [{ problem: () => problem, confirmed: () => confirmed }]
  const change = openChanges(file, () => Promise.resolve(), { reload, faults: () => [], rollouts }, 0.1)
  const { outcome, reason } = await change(REMOVE)
  return [outcome, reason]
}

test("what Prometheus refused before a change does not count as a refusal of it", async (t) => {
  const before = refused("of before")
  assert.deepEqual(await outcomeOf(t, before, {}), ["pending", "Prometheus has not read it yet."])
  assert.deepEqual(await outcomeOf(t, before, { problem: refused("of now") }), ["refused", "of now"])
  assert.deepEqual(await outcomeOf(t, before, { confirmed: new Date(1) }), ["confirmed", ""])
})
