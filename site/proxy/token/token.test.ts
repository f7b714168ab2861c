import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { test } from "node:test"
import { SignJWT } from "jose"
import { inspect } from "./inspect.ts"

const NOW = new Date("2026-11-21T12:00:00Z")
const bin = new URL("../../../bin/fedstack", import.meta.url).pathname

const run = (args: readonly string[], input = "") => {
  const { status, stdout, stderr } = spawnSync(bin, ["token", ...args], { input, encoding: "utf8" })
  return { status, stdout, stderr }
}
const hashOf = (token: string) => createHash("sha256").update(token).digest("hex")

test("new prints another token each time, with the hash of it", () => {
  const read = () => /^token: ([\w-]{43})\nsha256: ([\da-f]{64})\n$/.exec(run(["new"]).stdout) ?? []
  const [[, first = "", hash], [, second]] = [read(), read()]
  assert.equal(hash, hashOf(first))
  assert.notEqual(first, second)
})

test("hash reads the token from standard input and leaves out the line's end", () => {
  assert.deepEqual(run(["hash"], "secret-token\n"), { status: 0, stdout: `${hashOf("secret-token")}\n`, stderr: "" })
})

test("hash refuses an empty input, several words and a missing file, and never shows a token", () => {
  assert.deepEqual(run(["hash"], "\n"), { status: 1, stdout: "", stderr: "standard input: holds no token\n" })
  assert.deepEqual(run(["hash"], "one two"), {
    status: 1,
    stdout: "",
    stderr: "standard input: holds more than one word; give one token\n",
  })
  const missing = run(["hash", "/nowhere/token"])
  assert.equal(missing.status, 1)
  assert.match(missing.stderr, /^\/nowhere\/token: cannot be read: ENOENT.*\n$/)
})

test("inspect shows the claims of a JWT, in one line each, and that its signature was not checked", async () => {
  const token = await new SignJWT({ match: ['{job="a"}'], note: "two\nlines" })
    .setProtectedHeader({ alg: "HS256", kid: "k1" })
    .setIssuer("https://portal.example.org")
    .setAudience("site-a")
    .setIssuedAt(NOW.getTime() / 1000 - 60)
    .setExpirationTime(NOW.getTime() / 1000 + 3 * 86_400)
    .sign(Buffer.alloc(32))
  assert.equal(
    inspect(token, NOW),
    `kind       a JWT; its signature was not checked
algorithm  HS256
key        k1
issuer     https://portal.example.org
audience   site-a
issued     2026-11-21T11:59:00.000Z, 60 seconds ago
expires    2026-11-24T12:00:00.000Z, in 3 days
match      ["{job=\\"a\\"}"]
note       "two\\nlines"
`,
  )
})

test("inspect shows no control character of a JWT, and no claim as what a policy makes of it", async () => {
  const claims = { "a\n\u009b1m": "\u009b31m\u202e", policy: "portal", "may read": "up" }
  const token = await new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(Buffer.alloc(32))
  assert.deepEqual(inspect(token, NOW).split("\n").slice(3), [
    String.raw`"a\n\u{9b}1m"  "\u{9b}31m\u{202e}"`,
    '"policy"       portal',
    '"may read"     up',
    "",
  ])
})

test("inspect warns of a JWT without expiry", async () => {
  const token = await new SignJWT({}).setProtectedHeader({ alg: "HS256" }).sign(Buffer.alloc(32))
  assert.match(inspect(token, NOW), /^expires +never: no proxy should accept it$/m)
})

test("inspect shows length and hash of any other token, not the token", () => {
  const token = "some-opaque-token"
  assert.equal(
    inspect(token, NOW),
    `kind    an opaque token, not a JWT\nlength  17 characters\nsha256  ${hashOf(token)}\n`,
  )
})
