import assert from "node:assert/strict"
import { test } from "node:test"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { RuleGroup } from "../model/group.ts"
import { RulerError } from "./errors.ts"
import { showCall } from "./ruler-call.testing.ts"
import { type RulerFault, startFakeRuler } from "./ruler.testing.ts"
import { openTestRuler } from "./testing.ts"

const A = "team-a" as TenantId
const B = "team-b" as TenantId
const NEVER = new AbortController().signal
const group = (name: string, expr = "up == 0"): RuleGroup => ({ name, rules: [{ alert: "Down", expr }] })

for (const type of ["cortex", "mimir"] as const) {
  test(`writes, lists, reads and deletes groups of a ${type}, each tenant's apart`, async (t) => {
    const fake = await startFakeRuler(t, { type })
    const ruler = await openTestRuler(t, fake.url, { type })
    assert.deepEqual(await ruler.list(A, NEVER), new Map())
    await ruler.set(A, "ns", group("one"), NEVER)
    await ruler.set(A, "ns", group("two"), NEVER)
    await ruler.set(A, "other", group("one", "up"), NEVER)
    await ruler.set(B, "ns", group("one", "1"), NEVER)
    const listed = [
      [
        "ns",
        new Map([
          ["one", group("one")],
          ["two", group("two")],
        ]),
      ],
      ["other", new Map([["one", group("one", "up")]])],
    ] as const
    assert.deepEqual(await ruler.list(A, NEVER), new Map(listed))
    assert.deepEqual(await ruler.get(A, { namespace: "ns", name: "two" }, NEVER), group("two"))
    assert.equal(await ruler.get(A, { namespace: "other", name: "two" }, NEVER), undefined)
    await ruler.delete(A, { namespace: "ns", name: "one" }, NEVER)
    await ruler.delete(A, { namespace: "ns", name: "one" }, NEVER)
    assert.deepEqual(fake.groups(A), { ns: [group("two")], other: [group("one", "up")] })
    assert.deepEqual(fake.groups(B), { ns: [group("one", "1")] })
  })

  test(`a ${type} gets names with slashes, dots, blanks and UTF-8 as they are`, async (t) => {
    const fake = await startFakeRuler(t, { type })
    const ruler = await openTestRuler(t, new URL("/", fake.url), { type })
    const names = ["a/b", "/", "a//", "..", ".", "a/../b", "ü %?#+&", "%2F", "a\nb"]
    for (const name of names) await ruler.set(A, name, group(name), NEVER)
    assert.deepEqual(fake.groups(A), Object.fromEntries(names.map((name) => [name, [group(name)]])))
    assert.deepEqual(
      new Map((await ruler.list(A, NEVER)).entries().map(([namespace, groups]) => [namespace, [...groups.keys()]])),
      new Map(names.map((name) => [name, [name]])),
    )
    for (const name of names) {
      assert.deepEqual(await ruler.get(A, { namespace: name, name }, NEVER), group(name))
      await ruler.delete(A, { namespace: name, name }, NEVER)
    }
    assert.deepEqual(fake.groups(A), {})
  })
}

test("paths begin with that of the URL and Mimir's prefix", async (t) => {
  const fake = await startFakeRuler(t)
  fake.fault = () => ({ status: 202, text: "" })
  const set = async (path: string, options: Parameters<typeof openTestRuler>[2]) =>
    (await openTestRuler(t, new URL(path, fake.url), options)).set(A, "..", group("g"), NEVER)
  await set("/cortex/", {})
  await set("/gateway", { type: "mimir" })
  await set("/", { type: "mimir", prefix: "" })
  await set("/x//", { type: "mimir", prefix: "/p/" })
  assert.deepEqual(
    fake.calls.map(({ method, path }) => `${method} ${path}`),
    [
      "POST /cortex/api/v1/rules/%2E%2E",
      "POST /gateway/prometheus/config/v1/rules/%2E%2E",
      "POST /config/v1/rules/%2E%2E",
      "POST /x/p/config/v1/rules/%2E%2E",
    ],
  )
})

test("refuses names that cannot stand in a path, and sends nothing", async (t) => {
  const fake = await startFakeRuler(t)
  const ruler = await openTestRuler(t, fake.url)
  for (const name of ["", "\ud800"]) {
    const refused = {
      kind: "refused",
      message: "the names of a namespace and of a group must be Unicode text that is not empty",
    }
    await assert.rejects(ruler.set(A, "ns", group(name), NEVER), refused)
    await assert.rejects(ruler.set(A, name, group("g"), NEVER), refused)
    await assert.rejects(ruler.delete(A, { namespace: "ns", name }, NEVER), refused)
    await assert.rejects(ruler.get(A, { namespace: name, name: "g" }, NEVER), refused)
  }
  for (const name of ["\na", "\ta", "a\u2028", "\u2029"]) {
    const refused = {
      kind: "refused",
      message: "the names of a namespace and of a group must not begin with white space, or hold U+2028 or U+2029",
    }
    await assert.rejects(ruler.set(A, "ns", group(name), NEVER), refused)
    await assert.rejects(ruler.set(A, name, group("g"), NEVER), refused)
  }
  assert.deepEqual(fake.calls, [])
})

type Kinds = Readonly<Record<"list" | "get" | "set" | "delete", string>>
const all = (kind: string): Kinds => ({ list: kind, get: kind, set: kind, delete: kind })
const FAULTS: readonly (readonly [fault: RulerFault, kinds: Kinds])[] = [
  ["hang-up", all("unreachable")],
  ["lost", all("unreachable")],
  ["cut", all("unreachable")],
  ["truncated", { list: "not_ruler", get: "not_ruler", set: "none", delete: "none" }],
  ["not-yaml", all("not_ruler")],
  ["foreign-404", all("not_ruler")],
  ["login-page", all("not_ruler")],
  [{ status: 404, text: "404 page not found\n" }, all("not_ruler")],
  [{ status: 404, text: "" }, all("not_ruler")],
  [{ status: 200, text: "" }, all("not_ruler")],
  [{ status: 200, text: "null\n" }, all("not_ruler")],
  [{ status: 200, text: "\n" }, all("not_ruler")],
  [{ status: 200, text: "ns:\n    - name: a\n" }, all("not_ruler")],
  [{ status: 200, text: "name: b\nrules:\n    - record: a\n      expr: up\n" }, all("not_ruler")],
  [{ status: 200, text: "no rule groups found\n" }, all("not_ruler")],
  [
    { status: 500, text: "group does not exist\n" },
    { list: "unreadable", get: "unreadable", set: "failed", delete: "failed" },
  ],
  ...[414, 431].map(
    (status) =>
      [
        { status, text: "too long" },
        { list: "not_ruler", get: "not_ruler", set: "refused", delete: "failed" },
      ] as const,
  ),
  [{ status: 204, text: "" }, all("not_ruler")],
  [{ status: 301, text: "", headers: { location: "/" } }, all("not_ruler")],
  [{ status: 401, text: "no org id\n" }, all("unauthorized")],
  [{ status: 403, text: "" }, all("unauthorized")],
  [
    { status: 403, text: "namespace ns is protected\n" },
    { ...all("refused"), list: "unauthorized", get: "unauthorized" },
  ],
  [
    { status: 400, text: "error listing rules\n" },
    { list: "unreadable", get: "unreadable", set: "refused", delete: "failed" },
  ],
  [
    { status: 400, text: "<html>Bad Request</html>" },
    { list: "unreadable", get: "unreadable", set: "not_ruler", delete: "not_ruler" },
  ],
  [
    { status: 413, text: "request entity too large" },
    { list: "not_ruler", get: "not_ruler", set: "refused", delete: "failed" },
  ],
  [
    { status: 400, text: "per-user rule groups limit (limit: 2 actual: 3) exceeded\n" },
    { list: "unreadable", get: "unreadable", set: "over_limit", delete: "failed" },
  ],
  [{ status: 429, text: "" }, all("busy")],
  [{ status: 503, text: "", headers: { "retry-after": "7" } }, all("busy")],
  [
    { status: 500, text: "" },
    { list: "unreadable", get: "unreadable", set: "failed", delete: "failed" },
  ],
  [{ status: 502, text: "" }, all("unreachable")],
  [{ status: 503, text: "" }, all("unreachable")],
]

for (const [fault, kinds] of FAULTS)
  test(`a response that is ${JSON.stringify(fault)} is never taken for rules, for none, or for success`, async (t) => {
    const fake = await startFakeRuler(t)
    fake.put(A, "ns", group("a"))
    fake.put(A, "ns", group("b"))
    const ruler = await openTestRuler(t, fake.url)
    fake.fault = () => fault
    const address = { namespace: "ns", name: "a" }
    const kindOf = (call: Promise<unknown>): Promise<string> =>
      call.then(
        () => "none",
        (error: unknown) => (error instanceof RulerError ? error.kind : String(error)),
      )
    assert.deepEqual(
      {
        list: await kindOf(ruler.list(A, NEVER)),
        get: await kindOf(ruler.get(A, address, NEVER)),
        set: await kindOf(ruler.set(A, "ns", group("a"), NEVER)),
        delete: await kindOf(ruler.delete(A, address, NEVER)),
      },
      kinds,
    )
  })

test("a ruler that says that there is no such group has not written it", async (t) => {
  const fake = await startFakeRuler(t)
  const ruler = await openTestRuler(t, fake.url)
  fake.fault = () => ({ status: 404, text: "group does not exist\n" })
  assert.equal(await ruler.get(A, { namespace: "ns", name: "a" }, NEVER), undefined)
  await ruler.delete(A, { namespace: "ns", name: "a" }, NEVER)
  await assert.rejects(ruler.set(A, "ns", group("a"), NEVER), { kind: "not_ruler" })
})

test("writes texts as they are, but for white space at the start of several lines, which rulers lose", async (t) => {
  const fake = await startFakeRuler(t)
  const ruler = await openTestRuler(t, fake.url)
  const annotations = { line: " a", lines: " a\nb" }
  await ruler.set(A, "ns", { name: "a", rules: [{ alert: "A", expr: "up", annotations }] }, NEVER)
  const read = await ruler.get(A, { namespace: "ns", name: "a" }, NEVER)
  assert.deepEqual(read?.rules[0]?.annotations, { line: " a", lines: "a\nb" })
})

test("errors tell what is wrong and what to do, without what a page holds", async (t) => {
  const fake = await startFakeRuler(t, { refuses: () => true, limits: { rulesPerGroup: 1 } })
  const ruler = await openTestRuler(t, fake.url)
  const rules = [
    { record: "a", expr: "1" },
    { record: "b", expr: "1" },
  ]
  const messages: unknown[] = []
  const failing = (call: Promise<unknown>) =>
    call.catch((error: RulerError) => messages.push([error.kind, error.isOfGroup, error.retryAfter, error.message]))
  await failing(ruler.set(A, "ns", group("a"), NEVER))
  await failing(ruler.set(A, "ns", { name: "a", rules: [] }, NEVER))
  fake.fault = () => ({ status: 503, text: "  starting\u0007\n", headers: { "retry-after": "7" } })
  await failing(ruler.list(A, NEVER))
  fake.fault = () => "foreign-404"
  await failing(ruler.list(A, NEVER))
  fake.fault = () => "truncated"
  fake.put(A, "ns", { name: "a", rules })
  await failing(ruler.list(A, NEVER))
  assert.deepEqual(messages, [
    [
      "refused",
      true,
      undefined,
      "POST /api/v1/rules/ns: the ruler refuses the group without a reason, as Cortex does where it cannot parse an expression or the tenant is at a limit (status 400)",
    ],
    [
      "refused",
      true,
      undefined,
      "POST /api/v1/rules/ns: the ruler refuses the group (status 400): invalid rules config: rule group 'a' has no rules",
    ],
    ["busy", false, 7, "GET /api/v1/rules: the ruler asks to wait (status 503): starting"],
    [
      "not_ruler",
      false,
      undefined,
      "GET /api/v1/rules: this is no response of a ruler; check the URL, the type and the prefix, and that the ruler's API is enabled (status 404)",
    ],
    ["not_ruler", false, undefined, "GET /api/v1/rules: the response breaks off, so nothing is known of the rules"],
  ])
})

test("a request ends at its deadline, and when its caller leaves", async (t) => {
  const fake = await startFakeRuler(t)
  fake.fault = () => "silent"
  const ruler = await openTestRuler(t, fake.url, { timeout: 0.05 })
  await assert.rejects(ruler.list(A, NEVER), { kind: "unreachable" })
  await assert.rejects(ruler.tenants(NEVER), { kind: "unreachable" })
  await assert.rejects(ruler.set(A, "ns", group("a"), AbortSignal.abort()), { kind: "aborted" })
})

test("reads a group whose last text ends with a line break of YAML 1.1, with which rulers end the response", async (t) => {
  const fake = await startFakeRuler(t)
  const ruler = await openTestRuler(t, fake.url)
  let text = "name: a\nrules:\n    - alert: A\n      expr: up\n      annotations:\n        n: |\n            x\u2028"
  fake.fault = () => ({ status: 200, text })
  const read = await ruler.get(A, { namespace: "ns", name: "a" }, NEVER)
  assert.deepEqual(read?.rules, [{ alert: "A", expr: "up", annotations: { n: "x\n" } }])
  text = text.slice(0, -1)
  await assert.rejects(ruler.get(A, { namespace: "ns", name: "a" }, NEVER), { message: /the response breaks off/ })
})

test("sends the token in a file, which is in no message", async (t) => {
  const token = await temporaryFolder(t).write("token", "s3cr3t\n")
  const fake = await startFakeRuler(t)
  const ruler = await openTestRuler(t, fake.url, { credentials: { token } })
  fake.fault = ({ authorization }) => ({
    status: 401,
    text: `bad ${authorization === "Bearer s3cr3t" ? "tenant" : "token"}`,
  })
  await assert.rejects(ruler.list(A, NEVER), {
    message:
      "GET /api/v1/rules: the ruler, or what is before it, refuses the credentials or the tenant (status 401): bad tenant",
  })
})

test("limits are those that the ruler reports, else the configured ones, and are read once a minute", async (t) => {
  const configured = { groups: 5, rulesPerGroup: undefined }
  for (const type of ["cortex", "mimir"] as const) {
    const fake = await startFakeRuler(t, { type, limits: { groups: 70, rulesPerGroup: 20 } })
    let now = 0
    const ruler = await openTestRuler(t, fake.url, { type, limits: configured, milliseconds: () => now })
    const both = await Promise.all([ruler.limits(A, NEVER), ruler.limits(A, NEVER)])
    assert.deepEqual(both, [both[0], { groups: 70, rulesPerGroup: 20 }])
    const pages =
      type === "mimir" ? ["GET /api/v1/user_limits"] : ["GET /runtime_config?mode=diff", "GET /config?mode=diff"]
    assert.deepEqual(fake.calls.map(showCall), pages)
    fake.fault = () => "foreign-404"
    now = 59_999
    assert.deepEqual(await ruler.limits(A, NEVER), { groups: 70, rulesPerGroup: 20 })
    now = 60_000
    assert.deepEqual(await ruler.limits(A, NEVER), configured)
    const other = "ruler_max_rule_groups_per_tenant: 1\n"
    fake.fault = () => ({ status: 404, text: `${other}limits: {${other.trim()}}\n` })
    now = 120_000
    assert.deepEqual(await ruler.limits(A, NEVER), configured)
  }
  const none = await openTestRuler(t, (await startFakeRuler(t)).url, { limits: { groups: 5, rulesPerGroup: 5 } })
  assert.deepEqual(await none.limits(A, NEVER), { groups: undefined, rulesPerGroup: undefined })
})

test("knows tenants by the ruler, else those of the distributor, else none", async (t) => {
  const [fake, distributor] = [await startFakeRuler(t), await startFakeRuler(t)]
  const ruler = await openTestRuler(t, fake.url, { distributor: distributor.url })
  assert.deepEqual(await ruler.tenants(NEVER), new Set())
  fake.put("gone", "ns", group("a"))
  fake.remove("gone", "ns", "a")
  assert.deepEqual(await ruler.tenants(NEVER), new Set(["gone"]))
  fake.put(A, "ns", { name: "a", rules: [{ alert: "x", expr: "1", annotations: { a: "x:\ny:" } }] })
  fake.put("123", "ns", group("a"))
  fake.put("a|b", "ns", group("a"))
  assert.deepEqual(await ruler.tenants(NEVER), new Set(["gone", A, "123"]))
  distributor.fault = () => ({
    status: 200,
    text: JSON.stringify([{ userID: "team-b", numSeries: 1 }, { userID: "a/b" }]),
  })
  fake.fault = () => "foreign-404"
  assert.deepEqual(await ruler.tenants(NEVER), new Set([B]))
  fake.fault = () => ({ status: 405, text: "" })
  assert.deepEqual(await ruler.tenants(NEVER), new Set([B]))
  fake.fault = () => ({ status: 404, text: "no rule groups found\n" })
  assert.deepEqual(await ruler.tenants(NEVER), new Set())
  fake.fault = () => "foreign-404"
  distributor.fault = () => ({ status: 500, text: "" })
  await assert.rejects(ruler.tenants(NEVER), { kind: "unreadable" })
  distributor.fault = () => "foreign-404"
  assert.equal(await ruler.tenants(NEVER), undefined)
  fake.fault = () => ({ status: 200, text: "", headers: { "content-type": "text/plain" } })
  await assert.rejects(ruler.tenants(NEVER), { kind: "not_ruler" })
  for (const fault of ["cut", "truncated", "login-page", "hang-up"] as const) {
    fake.fault = () => fault
    await assert.rejects(ruler.tenants(NEVER), RulerError, fault)
  }
})

test("says why a change is refused at the limit of groups, and why another limit is", async (t) => {
  const fake = await startFakeRuler(t, { type: "mimir", limits: { groups: 1, rulesPerGroup: 1 } })
  const ruler = await openTestRuler(t, fake.url, { type: "mimir" })
  await ruler.set(A, "ns", group("a"), NEVER)
  const refused = "POST /prometheus/config/v1/rules/ns: the ruler refuses the group"
  await assert.rejects(ruler.set(A, "ns", group("a", "up"), NEVER), {
    kind: "over_limit",
    message: `${refused}, and counts a change of one as one more (status 400): per-user rule groups limit (limit: 1 actual: 2) exceeded`,
  })
  const two = { name: "two", rules: [...group("a").rules, ...group("b").rules] }
  await assert.rejects(ruler.set(A, "ns", two, NEVER), {
    kind: "over_limit",
    message: `${refused} (status 400): per-user rules per rule group limit (limit: 1 actual: 2) exceeded`,
  })
})
