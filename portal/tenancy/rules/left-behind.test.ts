import assert from "node:assert/strict"
import { test } from "node:test"
import type { EventDetails } from "#core/kubernetes/events.ts"
import { createLogger } from "#core/log/logger.ts"
import { reportLeftBehind } from "./left-behind.ts"
import type { RuleResource } from "./resources/rule-resource.ts"

test("an Event NotSelected at each resource says how to take up or release a namespace that lost its labels", () => {
  const lines: string[] = []
  const events: (readonly [string, EventDetails])[] = []
  const left = reportLeftBehind({
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line.replace(/^ts=\S+ /, ""))),
    events: { record: (_, { metadata }, details) => void events.push([metadata.name, details]) },
    metrics: { abandoned: () => assert.fail("its resources still own their groups") },
    configured: () => ["cortex"],
  })
  const guarded = ["a", "b"].map((name): RuleResource => ({ metadata: { namespace: "former", name } }))
  left.notSelected("former", guarded)
  assert.deepEqual(lines, [
    `level=warn component=test msg="namespace no longer selected, its groups stay at rulers, and its resources keep their finalizers" namespace=former resources=2\n`,
  ])
  const details = {
    ...{ type: "Warning", reason: "NotSelected", action: "Select" },
    note: "The namespace does not have the labels of --namespace-selector: groups stay at rulers, and deleting the resource takes --finalizer-deadline. Unless another rules-informer has it, select it again, or start with --release-namespace former",
  }
  assert.deepEqual(events, [
    ["a", details],
    ["b", details],
  ])
})
