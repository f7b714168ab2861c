import assert from "node:assert/strict"
import { test } from "node:test"
import { processorTime } from "../../dev/testing/processor-time.ts"
import { isServiceLink, type UnknownVariable, unknownVariables } from "./variables.ts"

const SETTINGS = [
  "PORTAL_AUTH_TOKEN",
  ...["LOG_LEVEL", "PORT", "UPSTREAM", "WEB_LISTEN_ADDRESS"].map((name) => `FEDSTACK_${name}`),
]
const unknown = (env: Readonly<Record<string, string | undefined>>) => unknownVariables(env, SETTINGS)

const nearest: readonly (readonly [misspelt: string, nearest: string | undefined])[] = [
  ["FEDSTACK_LISTEN_ADRESS", "FEDSTACK_WEB_LISTEN_ADDRESS"],
  ["FEDSTACK_LOGLEVEL", "FEDSTACK_LOG_LEVEL"],
  ["FEDSTACK_PROT", "FEDSTACK_PORT"],
  ["FEDSTACK_UPSTREEM", "FEDSTACK_UPSTREAM"],
  ["fedstack_log_level", "FEDSTACK_LOG_LEVEL"],
  ["FEDSTACK_COLOUR", undefined],
  ["FEDSTACK_", undefined],
]
for (const [variable, expected] of nearest) {
  test(`the nearest to ${variable} is ${expected ?? "none"}`, () => {
    const found: UnknownVariable = expected === undefined ? { variable } : { variable, nearest: expected }
    assert.deepEqual(unknown({ [variable]: "1" }), [found])
  })
}

test("settings are known, and what does not begin like ours", () => {
  const names = [...SETTINGS, "APP_NAME", "MY_FEDSTACK_HOME", "PATH"]
  assert.deepEqual(unknown(Object.fromEntries(names.map((name) => [name, "1"]))), [])
})

test("a name of any length is compared in no time", () => {
  const variable = `FEDSTACK_${"X".repeat(100_000)}`
  const took = processorTime(() => assert.deepEqual(unknown({ [variable]: "1" }), [{ variable }]))
  assert.ok(took < 50, `${took} ms`)
})

test("an empty variable is as good as unset", () => {
  assert.deepEqual(unknown({ FEDSTACK_COLOUR: "", FEDSTACK_COLOR: undefined }), [])
})

/** What Kubernetes sets for a Service of this name, as its documentation shows. */
const links = (service: string, address: string) => ({
  [`${service}_SERVICE_HOST`]: address,
  [`${service}_SERVICE_PORT`]: "9090",
  [`${service}_SERVICE_PORT_WEB_UI`]: "9090",
  [`${service}_PORT`]: `tcp://${address}:9090`,
  [`${service}_PORT_9090_TCP`]: `tcp://${address}:9090`,
  [`${service}_PORT_9090_TCP_PROTO`]: "tcp",
  [`${service}_PORT_9090_TCP_PORT`]: "9090",
  [`${service}_PORT_9090_TCP_ADDR`]: address,
  [`${service}_PORT_53_UDP`]: `udp://${address}:53`,
})

test("links that Kubernetes sets for Services are known", () => {
  const all = {
    ...links("FEDSTACK", "10.0.0.1"),
    ...links("FEDSTACK_PORTAL", "[fd00::1]"),
    ...links("FEDSTACK_SITE_A", "10.0.0.1"),
  }
  assert.deepEqual(unknown(all), [])
})

for (const [name, value, expected] of [
  ["FEDSTACK_PORT", "tcp://10.0.0.1:9090", true],
  ["APP_OPA_PORT", "udp://[fd00::1]:53", true],
  ["APP_PORT", "sctp://10.0.0.1:5000", true],
  ["FEDSTACK_PORT", "9090", false],
  ["FEDSTACK_PORT", "tcp://localhost:9090", false],
  ["FEDSTACK_PORT", "http://10.0.0.1:9090", false],
  ["FEDSTACK_PORT", "tcp://10.0.0.1:9090\n", false],
  ["FEDSTACK_UPSTREAM", "tcp://10.0.0.1:9090", false],
  ["FEDSTACK_PORT", undefined, false],
] as const) {
  test(`${name}=${JSON.stringify(value)} is ${expected ? "a" : "no"} link`, () => {
    assert.equal(isServiceLink(name, value), expected)
  })
}

test("a variable that is like a link's but has another value is not known", () => {
  assert.deepEqual(unknown({ FEDSTACK_ADMIN_PORT: "8001" }), [{ variable: "FEDSTACK_ADMIN_PORT" }])
})
