import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { recordReads } from "#core/files/watch.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { describePolicy } from "./describe.ts"
import { faultsOf, load, NOW, readExpected } from "./testing.ts"

const testdata = join(import.meta.dirname, "testdata")
const example = join(import.meta.dirname, "../policy.example.yaml")
const ENV = { SHORT: "abc", TWO_WORDS: "one two", GOOD: "zJ4kq0Xw7sPl2Vn8Tb5y", PORTAL_TOKEN: "pJ4kq0Xw7sPl2Vn8Tb5y" }
const GRANT = `match: ['{job="node"}']`

for (const name of ["shape", "meaning", "no-client", "syntax"]) {
  test(`names every fault of bad/${name}.yaml at once, with its place`, async () => {
    const file = join(testdata, `bad/${name}.yaml`)
    assert.equal(await faultsOf(file, { env: ENV }), await readExpected(file))
  })
}

test("understands every key of good/complete.yaml", async () => {
  const file = join(testdata, "good/complete.yaml")
  const policy = await load(file, { env: ENV })
  const shown = describePolicy(file, policy, NOW).replaceAll(`${testdata}/good/`, "")
  assert.equal(shown, await readExpected(file))
  assert.equal(policy.memory, 2 ** 30)
})

test("reads all files that the policy names again when they change", async () => {
  const file = join(testdata, "good/complete.yaml")
  const { read, contents } = recordReads()
  await load(file, { env: ENV }, read)
  assert.deepEqual([...contents.keys()], [file, join(testdata, "good/tokens.txt"), join(testdata, "good/jwks.json")])
})

test("the example is right", async () => assert.equal(await faultsOf(example), "policy.example.yaml has no fault\n"))

test("no fault shows a token or a hash", async () => {
  for (const name of ["shape", "meaning"]) {
    const text = await readExpected(join(testdata, `bad/${name}.yaml`))
    const secrets = ["DontUse", "not a token", "aaaab", "one two", "5f3b1d7c", "2bb80d53", "user:password", ENV.GOOD]
    for (const secret of secrets) assert.equal(text.includes(secret), false, secret)
  }
})

test("a policy that a worker parses is the same, faults included", async (t) => {
  const folder = temporaryFolder(t)
  const padding = `# ${"x".repeat(100_000)}\n`
  const shape = await readFile(join(testdata, "bad/shape.yaml"), "utf8")
  const file = await folder.write("shape.yaml", shape + padding)
  assert.equal(await faultsOf(file), await readExpected(join(testdata, "bad/shape.yaml")))
  const good = await folder.write("example.yaml", (await readFile(example, "utf8")) + padding)
  const [large, small] = [await load(good), await load(example)]
  const shown = (loaded: typeof large, path: string) => describePolicy("", loaded, NOW).replaceAll(path, "")
  assert.equal(shown(large, good), shown(small, example))
})

for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"]) {
  test(`a variable called ${name} is not set because every object has one`, async (t) => {
    const file = await temporaryFolder(t).write("p.yaml", `tokens: [{name: a, env: ${name}, ${GRANT}}]`)
    assert.match(await faultsOf(file), new RegExp(`the variable ${name} is not set`))
  })
}

test("constructor is a name like others", async (t) => {
  const entries = ["constructor", "toString"].map((name) => `{name: ${name}, env: ${name}, ${GRANT}}`).join(", ")
  const file = await temporaryFolder(t).write("p.yaml", `tokens: [${entries}]`)
  const policy = await load(file, { env: { constructor: ENV.GOOD, toString: ENV.PORTAL_TOKEN } })
  assert.deepEqual(
    policy.clients.map((client) => client.name),
    ["constructor", "toString"],
  )
})

test("a limit that cannot be reached is a fault once, where it stands", async (t) => {
  const { path, write } = temporaryFolder(t)
  const general = "limits: {request_bytes: 16KiB, selectors: 1024}"
  const entries = `{name: a, env: GOOD, ${GRANT}}, {name: b, env: PORTAL_TOKEN, ${GRANT}, limits: {selectors: 1000}}`
  const file = await write("p.yaml", `${general}\ntokens: [${entries}]\n`)
  const problem = (bytes: number) =>
    `can never be reached: a request that large has up to ${bytes} bytes, and request_bytes is 16384; raise that, or choose at most 768`
  assert.equal(
    (await faultsOf(file, { env: ENV })).replaceAll(`${path}/`, ""),
    `p.yaml:1:32 limits.selectors: ${problem(20_480)}\np.yaml:2:120 tokens[1].limits.selectors: ${problem(20_096)}\n`,
  )
})

test("no request for all that is shared is too large where matchers are added to requests for less", async (t) => {
  const entry = `name: a, env: GOOD, match: ['{job="a"}', '{job="b"}'], limits: {selectors: 1}`
  const { write } = temporaryFolder(t)
  const warnings = async (more: string): Promise<number> =>
    (await load(await write("p.yaml", `tokens: [{${entry}${more}}]`), { env: { GOOD: ENV.GOOD } })).warnings.length
  assert.deepEqual([await warnings(""), await warnings(", enforce: true")], [1, 0])
})

test("certificates are a fault where the server does not verify any", async () => {
  const faults = await faultsOf(example, { noCertificates: () => Promise.resolve("need TLS") })
  assert.equal(faults, "policy.example.yaml:30:1 certificates: need TLS\n")
})
