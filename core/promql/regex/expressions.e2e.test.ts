import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "../../../dev/testing/component.ts"
import { findPrometheus, VERSIONS } from "../../../dev/testing/prometheus.ts"
import { compile } from "../compiled.ts"
import { federating } from "../testing.ts"
import { Budget } from "./search.ts"

/** Forms that Prometheus answers without Go's regexp, or that read differently elsewhere. */
const EXPRESSIONS = [
  ...[".*", ".+", "a.*", ".*a", ".*a.*", "a.+", ".+a.+", "(.*)", "(.+)", ".?", "a.?", "", "a|", "x?", "a.b", "a|b|ab"],
  ...["a(b|.*k)", "a.*|b.*", "(?i)k.*", "(?i)ka|kb", "(?i)k", "(?i:s)", "(?i)[^k]*", "(?i)é", "(?i)\\W+", ".*\n.*"],
  ...["(?s).*", "(?-s).+", "(?s:a.)b?", "^a.*$", "\\bab\\b.*", "(?m)a$\nb", "(?m)(?:.*\n)?^b.*", "[^a]+"],
  ...["[[:^alpha:]]", "\\x{1F600}|\\141", "a{1,2}", "a{,2}", "\\Q.*\\E", "[]a]", "\\d", "\\s+", "(?U)a.*b"],
  ...["a\\z|\\Ab", "a*?b", "(a*)*k"],
  // enough alternatives for a map whose keys are normalised (NFKD)
  `(?i)${Array.from("abcdefghijlmnopqrt", (letter) => `${letter}a`).join("|")}`,
  Array.from("abcdefghijlmnopqrt", (letter) => `[${letter}${letter.toUpperCase()}][bB]`).join("|"),
]
const VALUES = [
  ...["", "a", "b", "ab", "aa", "aab", "axb", "a\nb", "\na", "a\n", "\n", "a-k", "k", "K", "\u212a", "ka", "KB"],
  ...["\u212aa", "s", "\u017f", "é", "É", "ab-", "-ab", "a{,2}", ".*", "]", "٣", "1", "\v", "\t", "😀", "b\n", "x\nb"],
  ...["ab\nk", "\uff41\uff41", "\uff42\uff42"],
]

for (const version of VERSIONS) {
  test(`reads expressions as Prometheus ${version} does`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const federate = await federating(
      t,
      folder,
      VALUES.map((x) => ({ x })),
    )
    const dotAll = version.startsWith("3")
    for (const op of ["=~", "!~"] as const) {
      for (const value of EXPRESSIONS) {
        const matcher = { label: "x", op, value }
        const selected = await federate([matcher])
        const read = VALUES.filter((_, id) => selected.has(id))
        const { matchers } = compile([matcher])
        const readBy = (bound: "at least" | "at most") =>
          VALUES.filter((word) =>
            matchers.every((each) => {
              return each.problem(bound) !== undefined || each.accepts(word, { dotAll, bound }, new Budget(1e6))
            }),
          )
        const [least, most] = [readBy("at least"), readBy("at most")]
        const folds = /\(\?i|\[aA\]/.test(value)
        if (!folds) assert.deepEqual([read, read], [least, most], op + value)
        const known = matchers.every((each) => each.problem("at least") === undefined)
        const tooMany = known ? least.filter((word) => !read.includes(word)) : []
        const tooFew = read.filter((word) => !most.includes(word))
        assert.deepEqual({ tooMany, tooFew }, { tooMany: [], tooFew: [] }, op + value)
      }
    }
  })
}
