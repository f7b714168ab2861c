import assert from "node:assert/strict"
import { test } from "node:test"
import { followLeftNamespaces } from "./left-namespaces.ts"
import type { RuleResource } from "./rule-resource.ts"
import type { ResourceSnapshot } from "./source.ts"

const resource = (namespace: string, name: string): RuleResource => ({ metadata: { namespace, name } })

test("tells once of each namespace that is no longer selected, and not while that is not known", () => {
  let snapshot: ResourceSnapshot = { resources: new Map(), incomplete: new Map([["", "is being listed"]]) }
  let listener = (): void => undefined
  const told: string[] = []
  const stopping = new AbortController()
  followLeftNamespaces(
    { snapshot: () => snapshot, onChange: (next) => ((listener = next), () => (listener = () => undefined)) },
    (namespace, guarded) => told.push(`${namespace}: ${guarded.map(({ metadata }) => metadata.name).join()}`),
    stopping.signal,
  )
  const show = (...left: readonly (readonly [string, readonly RuleResource[]])[]): void => {
    snapshot = { ...snapshot, left: new Map(left) }
    listener()
  }
  const one = ["one", [resource("one", "a"), resource("one", "b")]] as const
  show(one)
  assert.deepEqual(told, [])
  snapshot = { ...snapshot, incomplete: new Map() }
  show(one)
  show(one, ["two", [resource("two", "c")]])
  assert.deepEqual(told, ["one: a,b", "two: c"])
  show(["two", [resource("two", "c")]])
  show(one)
  assert.deepEqual(told.slice(2), ["one: a,b"])
  stopping.abort()
  show(["three", []])
  assert.equal(told.length, 3)
})
