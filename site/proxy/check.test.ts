import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { SignJWT } from "jose"
import { temporaryFolder } from "../../dev/testing/folder.ts"

const root = join(import.meta.dirname, "../..")
const EXAMPLE = "site/proxy/policy.example.yaml"
const BAD = "site/proxy/policy/testdata/bad/no-client.yaml"

function run(args: readonly string[], input = "") {
  const { status, stdout, stderr } = spawnSync(join(root, "bin/fedstack"), args, { cwd: root, input, encoding: "utf8" })
  return { status, stdout, stderr }
}
const check = (...args: readonly string[]) => run(["check", "policy", ...args])

test("a policy without faults is summarized, with 0", () => {
  const { status, stdout, stderr } = check(EXAMPLE)
  assert.deepEqual([status, stderr], [0, ""])
  assert.match(stdout, /^site\/proxy\/policy\.example\.yaml: 4 clients; upstream http:\/\/prometheus:9090\/federate; /)
  assert.doesNotMatch(stdout, /[\da-f]{16}/)
})

test("faults are named, with 1", () => {
  const stderr = `${BAD}:1:1: allows no client to read anything; add an entry to tokens, jwt or certificates\n`
  assert.deepEqual(check(BAD), { status: 1, stdout: "", stderr })
})

test("prints what a client may read with the rule and its place, and ends with 0", () => {
  const args = ["--as", "portal", "--match", '{job="project_usages",__name__=~"project_(vcpu|mb)_usage"}']
  assert.deepEqual(check(EXAMPLE, ...args), {
    status: 0,
    stdout: `portal may read {__name__=~"project_(vcpu|mb)_usage",job="project_usages"}
  by ${EXAMPLE}:8:13 tokens[0].match[0]: {__name__=~"project_.*_usage",job="project_usages"}
`,
    stderr: "",
  })
})

test("prints the request with the added matchers, and ends with 0", () => {
  assert.deepEqual(check(EXAMPLE, "--as", "partner", "--match", 'node_load1{instance="a"}'), {
    status: 0,
    stdout: `partner may read {__name__="node_load1",instance="a"}
  by ${EXAMPLE}:34:13 certificates[0].match[0]: {__name__=~"node_(load1|load5|load15)",job="node"}
  requested as {__name__="node_load1",__name__=~"node_(load1|load5|load15)",instance="a",job="node"}
`,
    stderr: "",
  })
})

test("prints what a client may not read with a witness for each rule, and ends with 1", () => {
  assert.deepEqual(check(EXAMPLE, "--as", "central", "--match", '{__name__=~"project_.*",job="project_usages"}'), {
    status: 1,
    stdout: "",
    stderr: `${EXAMPLE}:24:5 jwt[0]: central may not read {__name__=~"project_.*",job="project_usages"}: it selects __name__="project_"
${EXAMPLE}:28:13 jwt[0].match[0]: does not contain it: it selects __name__="project_". Shared here: {__name__=~"project_.*_usage",job="project_usages"}
${EXAMPLE}:28:68 jwt[0].match[1]: does not contain it: it selects __name__="project_". Shared here: {__name__="up",job="project_usages"}
`,
  })
})

test("says what of a request is beyond the bounds of the policy, and ends with 1", async (t) => {
  const file = await temporaryFolder(t).write(
    "p.yaml",
    `tokens: [{name: portal, sha256: ${"5f3b1d7c".repeat(8)}, match: ['{job="a"}']}]
limits: {selectors: 2, selector_characters: 20}
`,
  )
  const args = ["up", "down", `{job="${"a".repeat(20)}"}`].flatMap((selector) => ["--match", selector])
  const todo = "raise it in the policy, or let it request them in several jobs"
  const where = `${file}:1:10 tokens[0]`
  assert.deepEqual(check(file, "--as", "portal", ...args), {
    status: 1,
    stdout: "",
    stderr: `${where}: portal may not request this at once: it has 3 selectors, more than the limit selectors of 2; ${todo}
${where}: portal may not request this at once: it has a selector of 28 characters, more than the limit selector_characters of 20; ${todo}
`,
  })
})

test("says where the matchers that are added make a query too long for Prometheus, and ends with 1", async (t) => {
  const match = Array.from({ length: 1000 }, (_, index) => `'{job="${index}",x=~"${"y".repeat(1000)}"}'`).join()
  const file = await temporaryFolder(t).write(
    "p.yaml",
    `tokens: [{name: portal, sha256: ${"5f3b1d7c".repeat(8)}, match: [${match}], enforce: true}]\n`,
  )
  const { status, stderr } = check(file, "--as", "portal", "--match", "up")
  const problem = "would have a query of 1069889 bytes, and it accepts 1000000: request fewer or shorter selectors."
  assert.deepEqual([status, stderr], [1, `${file}:1:10 tokens[0]: The request to the site's Prometheus ${problem}\n`])
})

test("warns of a client that may read more than one request can name", async (t) => {
  const match = Array.from({ length: 3 }, (_, index) => `'{job="${index}"}'`).join()
  const file = await temporaryFolder(t).write(
    "p.yaml",
    `tokens: [{name: portal, sha256: ${"5f3b1d7c".repeat(8)}, match: [${match}], limits: {selectors: 2}}]
`,
  )
  const todo = "raise it, or let it request them in several jobs"
  const warning = `warning: ${file}:1:10 tokens[0]: a request for all that portal may read has 3 selectors, more than the limit selectors of 2; ${todo}
`
  const { status, stdout } = check(file)
  assert.deepEqual([status, stdout.slice(stdout.indexOf("warning:"))], [0, warning])
})

const MISUSE: readonly (readonly [args: readonly string[], stderr: string])[] = [
  [["--as", "portal"], "--as: needs --match SELECTOR too\n"],
  [["--match", "up"], "--match: needs --as CLIENT too\n"],
  [
    ["--as", "x", "--match", "up"],
    '--as: there is no client "x" in the policy; there are portal, accounting, central, partner\n',
  ],
]
for (const [args, stderr] of MISUSE) {
  test(`${args.join(" ")}: a usage error, with 2`, () =>
    assert.deepEqual(check(EXAMPLE, ...args), { status: 2, stdout: "", stderr }))
}

test("refuses a selector that cannot be read as a usage error, with 2", () => {
  const { status, stderr } = check(EXAMPLE, "--as", "portal", "--match", "up[5m]")
  assert.equal(status, 2)
  assert.match(stderr, /^--match: up\[5m\] is not a PromQL vector selector/)
})

test("token inspect shows whose token one is in a policy, and until when", async (t) => {
  const folder = temporaryFolder(t)
  const token = "hT5kq0Xw7sPl2Vn8Tb5y"
  const hash = run(["token", "hash"], token).stdout.trim()
  const policy = await folder.write(
    "p.yaml",
    `tokens: [{name: portal, sha256: ${hash}, not_after: 2100-01-01, match: ['up{job="a"}']}]`,
  )
  const { stdout } = run(["token", "inspect", "--policy", policy], token)
  const lines = stdout.replaceAll(folder.path, "").trim().split("\n")
  assert.deepEqual(lines.slice(-2), [
    "policy    portal (/p.yaml:1:10 tokens[0]), until 2100-01-01T00:00:00.000Z",
    'may read  {__name__="up",job="a"}',
  ])
  assert.match(
    run(["token", "inspect", "--policy", policy], `${token}x`).stdout,
    /^policy +refused: an unknown token$/m,
  )
})

test("token inspect verifies a JWT with the keys of its issuer", async (t) => {
  const folder = temporaryFolder(t)
  const { publicKey, privateKey } = (await import("node:crypto")).generateKeyPairSync("ed25519")
  await folder.write("jwks.json", JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }))
  const policy = await folder.write(
    "p.yaml",
    `jwt: [{issuer: i, audience: a, jwks: {file: jwks.json}, match: ['{job="a"}']}]`,
  )
  const token = await new SignJWT({ iss: "i", aud: "a", match: ['up{job="a"}', "down"] })
    .setProtectedHeader({ alg: "EdDSA" })
    .setExpirationTime(new Date("2100-01-01"))
    .sign(privateKey)
  const { stdout } = run(["token", "inspect", "--policy", policy], token)
  assert.deepEqual(stdout.replaceAll(folder.path, "").trim().split("\n").slice(-3), [
    "policy       i (/p.yaml:1:7 jwt[0]), until 2100-01-01T00:00:30.000Z",
    'may read     {__name__="up",job="a"}',
    'not granted  {__name__="down"} of the token is beyond what its issuer may grant',
  ])
})

test("the example in the documentation is the example file", async () => {
  const [example, page] = await Promise.all(
    [EXAMPLE, "docs/policy.md"].map((name) => readFile(join(root, name), "utf8")),
  )
  assert.equal(page?.includes(example ?? "?"), true)
})
