import assert from "node:assert/strict"
import { test } from "node:test"
import { clean, withChange } from "./changes.ts"
import type { SiteChange } from "./overview.ts"

const change = (minute: number, cause: string | null, text: string | null = null) => ({
  at: new Date(minute * 60_000),
  state: cause === null ? ("ok" as const) : ("down" as const),
  cause,
  reason: cause,
  text,
})

test("folds equal changes that follow each other, with the last words and a count", () => {
  const all = [change(1, "reset", "port 1"), change(2, "reset", "port 2"), change(3, "reset"), change(4, null)]
  const changes = all.reduce<readonly SiteChange[]>((before, one) => withChange(before, one), [])
  assert.deepEqual(changes, [
    { ...change(4, null), until: new Date(240_000), count: 1 },
    { ...change(3, "reset", "port 2"), at: new Date(60_000), until: new Date(180_000), count: 3 },
  ])
})

test("keeps the last 20", () => {
  let changes: readonly SiteChange[] = []
  for (let minute = 0; minute < 50; minute += 1) changes = withChange(changes, change(minute, `cause_${minute}`))
  assert.deepEqual([changes.length, changes[0]?.cause, changes.at(-1)?.cause], [20, "cause_49", "cause_30"])
})

test("cleans texts, and cuts them at 2 kB between two characters", () => {
  assert.equal(clean("a\r\nb\u0000\u202ec\u2028d"), "a b c d")
  const cut = clean("😀".repeat(100_000))
  assert.equal(Buffer.byteLength(cut) <= 2048, true)
  assert.match(cut, /^(?:😀)+…$/u)
})
