import assert from "node:assert/strict"
import { test } from "node:test"
import { pino } from "pino"
import { readText } from "#core/files/read-text.ts"
import { UsageError } from "#core/errors.ts"
import { printSelector } from "#core/promql/selector.ts"
import { readSettings } from "#core/config/read-settings.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { sha256 } from "#core/auth/secrets.ts"
import type { Policy } from "./policy/types.ts"
import { readProxyConfig } from "./config.ts"
import { proxySettings } from "./settings.ts"

async function read(argv: readonly string[], env: Record<string, string>): Promise<Policy> {
  const reading = readSettings({ command: "fedstack proxy", summary: "", settings: proxySettings }, argv, env)
  assert.ok(reading.kind === "values")
  const options = { log: pino({ enabled: false }), now: () => new Date(), env }
  return readProxyConfig(reading.values, options).policy.load(readText)
}

const shared = ({ clients }: Policy) =>
  clients.flatMap((client) => client.shared.map(({ selector }) => printSelector(selector)))
const hashes = ({ tokens }: Policy) => tokens.map((token) => token.sha256.toString("hex"))
const hashesOf = (...tokens: readonly string[]) => tokens.map((token) => sha256(token).toString("hex"))

async function faults(argv: readonly string[], env: Record<string, string> = {}): Promise<readonly string[]> {
  const error: unknown = await read(argv, env).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof UsageError, String(error))
  return error.message.split("\n")
}

const TOKEN = { PORTAL_AUTH_TOKEN: "abc" }
const NONE = "holds no token; put a long random one there, such as 'fedstack token new' makes"

test("shares what the original shared where only the token is set", async () => {
  const config = await read([], TOKEN)
  assert.deepEqual(shared(config), ['{__name__=~"project_.*_usage",job="project_usages"}'])
  assert.deepEqual([hashes(config), config.upstreams.map(String)], [hashesOf("abc"), ["http://prometheus:9090/"]])
})

test("reads one selector per line of the variable, commas inside", async () => {
  const config = await read([], { ...TOKEN, FEDSTACK_ALLOW: 'up{a="b",c="d"}\n\n {job="x"} \n' })
  assert.deepEqual(shared(config), ['{__name__="up",a="b",c="d"}', '{job="x"}'])
})

test("refuses to start without a token", async () => {
  const message =
    "PORTAL_AUTH_TOKEN: is not set; put the token there that the portal sends, or use --token-file or --policy"
  assert.deepEqual(await faults([]), [message])
})

for (const token of ["", "  ", "\n"]) {
  test(`refuses the token ${JSON.stringify(token)}`, async () =>
    assert.deepEqual(await faults([], { PORTAL_AUTH_TOKEN: token }), [`PORTAL_AUTH_TOKEN: ${NONE}`]))
}

test("refuses a token that no header can carry, without repeating it", async () => {
  assert.deepEqual(await faults([], { PORTAL_AUTH_TOKEN: "pass word" }), [
    "PORTAL_AUTH_TOKEN: the token has characters that a bearer token cannot have; use letters, digits and -._~+/ only",
  ])
})

test("refuses two sources of tokens", async () => {
  assert.deepEqual(await faults(["--token-file", "x"], TOKEN), [
    "PORTAL_AUTH_TOKEN: is set and --token-file is given; keep one of the two",
  ])
})

test("takes all tokens of a file", async (t) => {
  const file = await temporaryFolder(t).write("tokens", "new\r\n\nold\n")
  assert.deepEqual(hashes(await read(["--token-file", file], {})), hashesOf("new", "old"))
})

test("takes an empty variable beside a token file for an unset one", async (t) => {
  const file = await temporaryFolder(t).write("tokens", "a\n")
  assert.deepEqual(hashes(await read(["--token-file", file], { PORTAL_AUTH_TOKEN: "" })), hashesOf("a"))
})

test("refuses a token file without tokens", async (t) => {
  const file = await temporaryFolder(t).write("tokens", " \n\n")
  assert.deepEqual(await faults(["--token-file", file]), [`${file}: ${NONE}`])
})

test("names the line of a token that no header can carry", async (t) => {
  const file = await temporaryFolder(t).write("tokens", "good\nnot good\n")
  const [message = ""] = await faults(["--token-file", file])
  assert.ok(message.startsWith(`${file}:2: the token has characters`), message)
})

test("refuses a token file that is not there", async () => {
  const [message = ""] = await faults(["--token-file", "/nonexistent/tokens"])
  assert.ok(message.startsWith("/nonexistent/tokens: cannot be read: ENOENT"), message)
})

test("reports every fault at once", async () => {
  const AT = "is not a PromQL vector selector:"
  assert.deepEqual(
    await faults([
      "--allow",
      "up[5m]",
      "--allow",
      "up",
      "--allow",
      "{",
      "--allow",
      "{}",
      "--allow",
      '{a=~"("}',
      "--upstream",
      "http://x/?a",
    ]),
    [
      `--allow: up[5m] ${AT} "[" at character 3, where one selector such as up{job="node"} is expected.`,
      `--allow: { ${AT} the end at character 2, where a matcher such as job="node", a comma or } is expected.`,
      "--allow: {} has no matcher; say which series are shared",
      '--allow: a=~"(" is no expression that Prometheus accepts: missing )',
      "PORTAL_AUTH_TOKEN: is not set; put the token there that the portal sends, or use --token-file or --policy",
      "--upstream: must not have a query or a fragment; a path prefix is fine",
    ],
  )
})

test("refuses bounds of requests that can never be reached", async () => {
  const argv = ["--limit.request-bytes", "16KiB", "--limit.selectors", "769", "--limit.selector-characters", "4097"]
  const reason = (needed: number): string =>
    `can never be reached: a request that large has up to ${needed} bytes, and request_bytes is 16384; raise that`
  assert.deepEqual(await faults(argv, TOKEN), [
    `--limit.selectors: ${reason(769 * 16 + 4096)}, or choose at most 768`,
    `--limit.selector-characters: ${reason(4097 * 3 + 4096)}, or choose at most 4096`,
  ])
})

test("keeps bounds of requests that are not set within those that are", async () => {
  const { clients, requestBytes } = await read(["--limit.request-bytes", "16KiB"], TOKEN)
  const [limits] = clients.map((client) => client.limits)
  assert.deepEqual([requestBytes, limits?.selectors, limits?.selectorCharacters], [16_384, 768, 4096])
})

for (const text of ["99ms", "61m", "30d"]) {
  test(`refuses ${text} for a whole response, as a policy does`, async () =>
    assert.deepEqual(await faults(["--upstream.timeout", text], { PORTAL_AUTH_TOKEN: "abc" }), [
      `--upstream.timeout: must be from 100ms to 1h (is "${text}")`,
    ]))
}

const place = (key: string): string => `is set beside --policy; write it into the policy, as ${key}, and remove it here`
const PLACES = [
  ["--token-file", "FEDSTACK_TOKEN_FILE", "y", "tokens, as {file: NAME}"],
  ["--allow", "FEDSTACK_ALLOW", "up", "match of its entries"],
  ["--upstream", "FEDSTACK_UPSTREAM", "http://x", "upstreams"],
  ["--upstream.timeout", "FEDSTACK_UPSTREAM_TIMEOUT", "1s", "limits.upstream_timeout"],
  ["--limit.response-bytes", "FEDSTACK_LIMIT_RESPONSE_BYTES", "1MiB", "limits.response_bytes"],
  ["--limit.request-bytes", "FEDSTACK_LIMIT_REQUEST_BYTES", "1MiB", "limits.request_bytes"],
  ["--limit.selectors", "FEDSTACK_LIMIT_SELECTORS", "5", "limits.selectors"],
  ["--limit.selector-characters", "FEDSTACK_LIMIT_SELECTOR_CHARACTERS", "5", "limits.selector_characters"],
] as const

test("refuses flags whose place is in the policy, beside one", async () => {
  const flags = PLACES.flatMap(([flag, , value]) => [flag, value])
  const expected = PLACES.map(([flag, , , key]) => `${flag}: ${place(key)}`)
  assert.deepEqual(await faults(["--policy", "x", ...flags], TOKEN), expected)
})

test("refuses variables whose place is in the policy, beside one, by their own names", async () => {
  const env = Object.fromEntries(PLACES.map(([, variable, value]) => [variable, value]))
  const expected = PLACES.map(([, variable, , key]) => `${variable}: ${place(key)}`)
  assert.deepEqual(await faults(["--policy", "x"], env), expected)
})

test("takes empty variables of the mode without a policy for unset ones", async (t) => {
  const file = await temporaryFolder(t).write("p.yaml", `tokens: [{name: a, env: T, match: ['{job="a"}']}]`)
  const empty = Object.fromEntries(PLACES.map(([, variable]) => [variable, ""]))
  const { clients } = await read(["--policy", file], { ...empty, T: STRONG })
  assert.equal(clients.length, 1)
})

const STRONG = "hT5kq0Xw7sPl2Vn8Tb5y"

test("takes PORTAL_AUTH_TOKEN beside a policy that names it", async (t) => {
  const file = await temporaryFolder(t).write("p.yaml", `tokens: [{name: a, env: PORTAL_AUTH_TOKEN, match: [up]}]`)
  const policy = await read(["--policy", file], { PORTAL_AUTH_TOKEN: STRONG })
  assert.deepEqual([hashes(policy), policy.warnings], [hashesOf(STRONG), []])
})

for (const [title, secret] of [
  ["by its hash", `sha256: ${sha256(STRONG).toString("hex")}`],
  ["from another variable", "env: T"],
] as const) {
  test(`takes PORTAL_AUTH_TOKEN beside a policy that has it ${title}`, async (t) => {
    const file = await temporaryFolder(t).write("p.yaml", `tokens: [{name: a, ${secret}, match: [up]}]`)
    const { warnings } = await read(["--policy", file], { PORTAL_AUTH_TOKEN: `${STRONG}\n`, T: STRONG })
    assert.deepEqual(warnings, [])
  })
}

test("warns of PORTAL_AUTH_TOKEN beside a policy that does not accept it", async (t) => {
  const file = await temporaryFolder(t).write("p.yaml", `tokens: [{name: a, env: T, match: [up]}]`)
  const { warnings } = await read(["--policy", file], { PORTAL_AUTH_TOKEN: "8vLr3Wq0Zt6Yb1Nd", T: STRONG })
  const message =
    "is set, but the policy does not accept this token; add {env: PORTAL_AUTH_TOKEN} to an entry of tokens, or remove the variable"
  assert.deepEqual(warnings, [{ where: "PORTAL_AUTH_TOKEN", message }])
})

test("takes an empty PORTAL_AUTH_TOKEN beside a policy for an unset one", async (t) => {
  const { write } = temporaryFolder(t)
  const policy = await write("p.yaml", `tokens: [{name: a, env: T, match: ['{job="a"}']}]`)
  const { clients } = await read(["--policy", policy], { PORTAL_AUTH_TOKEN: "", T: "hT5kq0Xw7sPl2Vn8Tb5y" })
  assert.deepEqual(
    clients.map((client) => client.name),
    ["a"],
  )
})

test("refuses certificates in a policy where no TLS asks for them", async (t) => {
  const policy = await temporaryFolder(t).write(
    "p.yaml",
    `certificates: [{name: a, common_name: a, match: ['{job="a"}']}]`,
  )
  const error: unknown = await read(["--policy", policy], {}).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const needed = "client_auth_type VerifyClientCertIfGiven or RequireAndVerifyClientCert"
  const message = `${policy}:1:1 certificates: need TLS: give --web.config.file a file with ${needed}`
  assert.equal(error instanceof Error && error.message, message)
})

const WEAK = "; use one of 'fedstack token new'"
for (const [title, argv, token, where, message] of [
  ["a short token", [], "abc", "PORTAL_AUTH_TOKEN", `the token is shorter than 16 characters${WEAK}`],
  [
    "a well-known token",
    [],
    "DontUseThisInProduction",
    "PORTAL_AUTH_TOKEN",
    `the token looks like one of an example or of documentation${WEAK}`,
  ],
  [
    "a selector that shares everything",
    ["--allow", '{__name__=~".+"}'],
    "7Hq2vN9xW4sPl8Kd3",
    "--allow",
    '{__name__=~".+"} SHARES EVERYTHING',
  ],
] as const) {
  test(`warns of ${title} and takes it, as the original did`, async () => {
    const reading = readSettings({ command: "", summary: "", settings: proxySettings }, argv, {
      PORTAL_AUTH_TOKEN: token,
    })
    assert.ok(reading.kind === "values")
    const log = pino({ enabled: false })
    const { warnings } = await readProxyConfig(reading.values, { log, now: () => new Date(), env: {} }).policy.load(
      readText,
    )
    assert.deepEqual(warnings, [{ where, message }])
  })
}
