import assert from "node:assert/strict"
import { test } from "node:test"
import { logChanges, logChangesOfEach } from "./changes.ts"

test("logs a state when it differs from the one before, with its details", () => {
  const lines: unknown[] = []
  const report = logChanges((state: string | undefined, seconds: number) => lines.push([state, seconds]))
  report(undefined, 1)
  report("slow", 2)
  report("slow", 3)
  report("down", 4)
  report(undefined, 5)
  report(undefined, 6)
  report("slow", 7)
  assert.deepEqual(lines, [
    ["slow", 2],
    ["down", 4],
    [undefined, 5],
    ["slow", 7],
  ])
})

test("logs the states of several things, and forgets those that are gone", () => {
  const lines: unknown[] = []
  const report = logChangesOfEach((key: string, state: string | undefined) => lines.push([key, state]))
  report(
    new Map([
      ["a", undefined],
      ["b", "down"],
    ]),
  )
  report(
    new Map([
      ["a", "slow"],
      ["b", "down"],
    ]),
  )
  report(new Map([["b", undefined]]))
  report(
    new Map([
      ["a", "slow"],
      ["b", undefined],
    ]),
  )
  assert.deepEqual(lines, [
    ["b", "down"],
    ["a", "slow"],
    ["b", undefined],
    ["a", "slow"],
  ])
})
