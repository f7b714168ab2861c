import assert from "node:assert/strict"
import { test } from "node:test"
import { type Setting, Wrong } from "#core/config/settings.ts"
import { forwardConfig, type ForwardSettings, forwardSettings } from "./settings.ts"

/** The values of these flags, and the defaults of the others. */
function valuesOf(flags: Readonly<Record<string, readonly string[]>> = {}): ForwardSettings {
  const read = ([name, { flag = "", read: parse }]: [string, Setting<unknown>]) => {
    const value = parse(flags[flag.replace(/ .*/, "")])
    assert.ok(!(value instanceof Wrong), flag)
    return [name, value]
  }
  return Object.fromEntries(Object.entries<Setting<unknown>>(forwardSettings).map(read)) as ForwardSettings
}

test("sends to the original's URL with the original's number of requests, without credentials", () => {
  assert.deepEqual(forwardConfig(valuesOf()), {
    urls: [new URL("http://127.0.0.1:5000")],
    headers: [],
    credentials: {
      token: undefined,
      basicAuth: undefined,
      ca: undefined,
      cert: undefined,
      key: undefined,
      serverName: undefined,
    },
    bounds: {
      parallel: 64,
      parallelSlow: 1024,
      parallelOfTenant: 2,
      slowAfter: 1,
      waitingBytes: 2 ** 26,
      waitingBytesOfTenant: 2 ** 24,
      waitingSeconds: 5,
      timeout: 20,
      sharedElements: 10_000,
      tenants: 10_000,
    },
  })
})

test("sends to several URLs with credentials and headers", () => {
  const { urls, headers, credentials } = forwardConfig(
    valuesOf({
      "--ingester-upstream-url": ["https://a.example.org/api/v1/push?x=y", "https://b.example.org/"],
      "--upstream.username": ["proxy"],
      "--upstream.password-file": ["password"],
      "--upstream.ca-file": ["ca.crt"],
      "--upstream.cert-file": ["proxy.crt"],
      "--upstream.key-file": ["proxy.key"],
      "--upstream.server-name": ["cortex"],
      "--upstream.header": ["X-Cluster: a b", "x-zone:c "],
    }),
  )
  assert.deepEqual(
    [urls.map(({ href }) => href), headers, credentials],
    [
      ["https://a.example.org/api/v1/push?x=y", "https://b.example.org/"],
      ["x-cluster", "a b", "x-zone", "c"],
      {
        token: undefined,
        basicAuth: { username: "proxy", passwordFile: "password" },
        ca: "ca.crt",
        cert: "proxy.crt",
        key: "proxy.key",
        serverName: "cortex",
      },
    ],
  )
})

const FAULTS: readonly (readonly [Readonly<Record<string, readonly string[]>>, string])[] = [
  [{ "--upstream.username": ["u"] }, "--upstream.username: must be given together with --upstream.password-file"],
  [{ "--upstream.password-file": ["p"] }, "--upstream.username: must be given together with --upstream.password-file"],
  [{ "--upstream.username": ["a:b"], "--upstream.password-file": ["p"] }, "--upstream.username: must hold no colon"],
  [
    { "--upstream.username": ["u"], "--upstream.password-file": ["p"], "--upstream.token-file": ["t"] },
    "--upstream.token-file: cannot be given together with --upstream.username",
  ],
  [
    { "--upstream.key-file": ["k"], "--ingester-upstream-url": ["https://a"] },
    "--upstream.cert-file: must be given together with --upstream.key-file",
  ],
  [{ "--upstream.ca-file": ["c"] }, "--upstream.ca-file: has no effect with http:// URLs"],
  [{ "--upstream.header": ["X-A: 1", "x-a: 2"] }, "--upstream.header: is given twice for x-a"],
  [{ "--ingester-upstream-url": ["http://a", "http://a/"] }, "--ingester-upstream-url: names the same URL twice"],
]

for (const [flags, message] of FAULTS)
  test(`refuses ${Object.entries(flags).flat(2).join(" ")}`, () => {
    assert.throws(() => forwardConfig(valuesOf(flags)), { name: "UsageError", message })
  })

const PART = (name: string): string => `must not set ${name}, which is part of the protocol`
const SECRET = (name: string): string => `must not set ${name}: see --upstream.token-file and --upstream.password-file`
const NONE = "must be a header in ASCII such as 'X-Cluster: a'"
const HEADERS: readonly (readonly [string, string])[] = [
  ["X-Scope-OrgID: a", PART("X-Scope-OrgID")],
  ["x-scope-orgid: a", PART("x-scope-orgid")],
  ["Content-Type: a", PART("Content-Type")],
  ["Content-Encoding: a", PART("Content-Encoding")],
  ["Content-Length: 1", PART("Content-Length")],
  ["Transfer-Encoding: chunked", PART("Transfer-Encoding")],
  ["X-Prometheus-Remote-Write-Version: 1", PART("X-Prometheus-Remote-Write-Version")],
  ["Host: a", PART("Host")],
  ["User-Agent: a", PART("User-Agent")],
  ["Authorization: Bearer a", SECRET("Authorization")],
  ["Cookie: a", SECRET("Cookie")],
  ["X-A: a\r\nX-Scope-OrgID: b", NONE],
  ["X A: a", NONE],
  ["X-A:", NONE],
  ["X-A: ü", NONE],
  ["X-A", NONE],
]

for (const [header, reason] of HEADERS)
  test(`refuses the header ${JSON.stringify(header)}`, () => {
    assert.deepEqual(forwardSettings.upstreamHeaders.read([header]), new Wrong(reason))
  })
