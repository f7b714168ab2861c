import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { weaknessOf } from "./secrets.ts"

const WEAK: readonly (readonly [token: string, why: string])[] = [
  ["", "the token is shorter than 16 characters"],
  ["secret", "the token is shorter than 16 characters"],
  ["0a1b2c3d4e5f607", "the token is shorter than 16 characters"],
  ["aaaaaaaaaaaaaaaaaaaaaaaa", "the token repeats a few characters"],
  ["a-b-a-b-a.b.a~b-a-b-a-b-", "the token repeats a few characters"],
  ["f3k9x2f3k9x2f3k9x2", "the token repeats one part"],
  ["DontUseThisInProduction", "the token looks like one of an example or of documentation"],
  ["only-for-development", "the token looks like one of an example or of documentation"],
  ["ChangeMe-ChangeMe-please", "the token looks like one of an example or of documentation"],
  ["1234567890123456789", "the token looks like one of an example or of documentation"],
]
for (const [token, why] of WEAK) {
  test(`finds ${JSON.stringify(token)} weak`, () =>
    assert.equal(weaknessOf(token), `${why}; use one of 'fedstack token new'`))
}

test("finds no random token weak, in whatever alphabet", () => {
  for (let round = 0; round < 2000; round++) {
    const bytes = randomBytes(round % 2 === 0 ? 32 : 16)
    for (const encoding of ["hex", "base64url"] as const) {
      const token = bytes.toString(encoding)
      assert.equal(weaknessOf(token), undefined, token)
    }
  }
})
