import assert from "node:assert/strict"
import { test } from "node:test"
import { RE2JS, RE2JSException } from "re2js"
import { randomRegex, randomTokens } from "../../../dev/fuzz/random-regex.ts"
import { seeded } from "../../../dev/fuzz/random.ts"
import { seedOf } from "../../../dev/testing/seed.ts"
import { checkRegex, type RegexVerdict } from "./check.ts"

function judge(pattern: string): RegexVerdict["verdict"] | "matches the empty string" {
  const checked = checkRegex(pattern)
  return checked.verdict === "valid" && checked.matchesEmpty ? "matches the empty string" : checked.verdict
}

function judgeByRe2js(pattern: string): ReturnType<typeof judge> {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL).matches("") ? "matches the empty string" : "valid"
  } catch (error) {
    assert.ok(error instanceof RE2JSException)
    return "invalid"
  }
}

test("agrees with re2js on what is valid and matches the empty string", (t) => {
  const random = seeded(seedOf(t))
  for (let i = 0; i < 5000; i++) {
    const pattern = random.chance(0.5) ? randomTokens(random) : randomRegex(random).text
    // re2js refuses two groups of one name, Go does not
    if (/(\(\?P<n>|\(\?<m>)[^]*\1/.test(pattern)) continue
    assert.equal(judge(pattern), judgeByRe2js(pattern), JSON.stringify(pattern))
  }
})

test("judges what cannot be compared with other expressions, or costs too much", () => {
  const judged = [
    ["\\pL+", "valid"],
    ["\\p{Greek}*", "matches the empty string"],
    ["\\p{Foo}", "invalid"],
    ["(?i)é", "valid"],
    ["[Éé]?", "matches the empty string"],
    ["\\Qa", "valid"],
    ["\\\\Qa", "valid"],
    ["\\Qa\\E\\Q", "valid"],
    ["(".repeat(201) + ")".repeat(201), "matches the empty string"],
    ["(?P<n>a)(?P<n>b)", "valid"],
    ["\\b", "valid"],
    ["\\B", "matches the empty string"],
    ["\ud800", "invalid"],
    ["\\pL{1000}", "valid"],
    ["(\\pL{0,9}){3}", "matches the empty string"],
    ["\\pL{3,1}", "invalid"],
    ["(\\pL{100}){100}", "invalid"],
    ["(\\pL{100}){10}(a{40}){25}", "valid"],
    ["\\pL{1001}", "invalid"],
    ["\\p{^Greek}[{1001}]", "valid"],
    ["\\pL[(?P<n>{1001}[b-a]", "invalid"],
    ["[\\pL-z](?i)[Éé]{40}é{40}", "valid"],
    ["\\p{", "invalid"],
    ["\\p", "invalid"],
    ["\\Q\\p{Foo}", "valid"],
    ["[\\Q\\pL]", "invalid"],
    ["\\\\p{Foo}", "valid"],
    ["\\p{".repeat(20_000), "invalid"],
    ["[[:".repeat(20_000), "invalid"],
    ["a".repeat(70_000), "unknown"],
    ["(?:[ab]{1000}){1}".repeat(500), "unknown"],
  ] as const
  for (const [pattern, verdict] of judged) assert.equal(judge(pattern), verdict, pattern.slice(0, 30))
})
