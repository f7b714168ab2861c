import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { hashSync } from "bcryptjs"
import { Registry } from "prom-client"
import { sha256 } from "#core/auth/secrets.ts"
import { readSettings } from "#core/config/read-settings.ts"
import { serve } from "#core/http/server.ts"
import { createLogger } from "#core/log/logger.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { openAccess } from "./access.ts"
import { addAccess, changesOnly, identityOf } from "./hook.ts"
import { accessSettings } from "./settings.ts"
import { type SentFrom, sendFrom } from "./testing.ts"

const ADA = "ada-4f1c2b7d9e0a6853-operator"
const BOB = "bob-77aa01c9d3e2f461-operator"
const EVE = "eve-90ab12cd34ef5678-expired"
const OPERATORS = `tokens:
  - {name: ada, sha256: ${sha256(ADA).toString("hex")}}
  - name: bob
    secrets:
      - {sha256: ${sha256(BOB).toString("hex")}, valid_from: 2026-01-01, not_after: 2027-01-01}
      - {sha256: ${sha256(EVE).toString("hex")}, not_after: 2026-02-01}
`
const PROXIED = ["--web.auth-header=X-Forwarded-User", "--web.auth-proxy=127.0.0.1"]
const GROUPS = ["--web.auth-groups-header=X-Forwarded-Groups", "--web.admin-group=metrics-admins"]

const readAccess = (argv: readonly string[]) => {
  const usage = { command: "fedstack portal", summary: "", example: "", docs: "", settings: accessSettings }
  const reading = readSettings(usage, argv, {})
  assert.equal(reading.kind, "values")
  return reading.kind === "values" ? reading.values : assert.fail()
}

async function start(
  t: TestContext,
  argv: readonly string[],
  files: { readonly web?: string; readonly operators?: string } = {},
) {
  const { write } = temporaryFolder(t)
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", (line) => lines.push(line))
  const operators = files.operators === undefined ? undefined : await write("operators.yaml", files.operators)
  const settings = readAccess([...argv, ...(operators === undefined ? [] : [`--web.admin-token-file=${operators}`])])
  const registry = new Registry()
  const now = (): Date => new Date("2026-11-30T14:00:00Z")
  const access = await openAccess(settings, { log, env: {}, now, registry })
  const served: string[] = []
  const serving = await serve({
    addresses: [{ host: "127.0.0.1", port: 0 }],
    webConfigFile: files.web === undefined ? undefined : await write("web.yml", files.web),
    elsewhere: access.isOurs,
    registry,
    log,
    routes(app) {
      addAccess(app, access)
      app.get("/metrics", (_, reply) => reply.send("metrics\n"))
      app.get("/who", (request, reply) => reply.send(identityOf(request)))
      app.get("/seen", (request, reply) => reply.send(request.raw.rawHeaders.filter((one) => /user|groups/i.test(one))))
      app.post("/change", { onRequest: changesOnly(access) }, (request, reply) => {
        served.push(identityOf(request)?.name ?? "")
        return reply.send(identityOf(request))
      })
    },
  })
  t.after(async () => {
    await serving.close()
    await access.close()
  })
  const url = `http://127.0.0.1:${serving.addresses[0]?.port}`
  const get = async (path: string, sent: SentFrom = {}): Promise<string> => {
    const { status, body } = await sendFrom(url, path, sent)
    return `${status} ${body.trim()}`
  }
  return {
    get,
    who: (...headers: readonly (readonly [string, string])[]) => get("/who", { headers }),
    change: (...headers: readonly (readonly [string, string])[]) => get("/change", { headers, method: "POST" }),
    served,
    url,
    log: () => lines.join(""),
  }
}

const bearer = (token: string) => ["Authorization", `Bearer ${token}`] as const
const basic = (text: string) => ["Authorization", `Basic ${Buffer.from(text).toString("base64")}`] as const
const is = (name: string, by: string, admin: boolean): string => `200 ${JSON.stringify({ name, by, admin })}`
const AMBIGUOUS =
  "400 The header x-forwarded-user is there more than once, in some spelling, or holds no name: who sent this request cannot be known."
const NOT_SIGNED_IN =
  "401 Sign in first: open this page at the address that your operator gave you, not at the portal's own."
const WRONG_TOKEN = "401 This token is not one of an operator, or is not valid now: see --web.admin-token-file."

test("anybody may see, and nobody change, where nothing is set", async (t) => {
  const { who, change } = await start(t, [])
  assert.equal(await who(["X-Forwarded-User", "ada"]), is("", "nothing", false))
  assert.equal(await who(bearer("whatever")), is("", "nothing", false))
  assert.equal(
    await change(),
    "403 This portal takes no changes: it was started without --web.admin-token-file and --web.admin-group.",
  )
})

test("knows users by a header from the proxy's address alone", async (t) => {
  const { who, get } = await start(t, PROXIED)
  assert.equal(
    await who(["x-forwarded-USER", "Zoë"].map((one) => Buffer.from(one).toString("latin1")) as [string, string]),
    is("Zoë", "header", false),
  )
  const unseen = "ada\u200b" // it would be shown as another user's
  for (const name of [unseen, "a".repeat(257), "\ufffd", " "]) {
    const sent = Buffer.from(name).toString("latin1")
    assert.match(await who(["X-Forwarded-User", sent]), /^400 /, JSON.stringify(name))
  }
  assert.equal(await who(["X-Forwarded-User", "a".repeat(256)]), is("a".repeat(256), "header", false))
  const outside = {
    from: "127.0.0.2",
    headers: [
      ["X-Forwarded-User", "ada"],
      ["X-Forwarded-For", "127.0.0.1"],
    ] as const,
  }
  assert.equal(await get("/who", outside), NOT_SIGNED_IN)
  assert.equal(await get("/nothing", outside), NOT_SIGNED_IN)
  assert.equal(await who(), NOT_SIGNED_IN)
  assert.equal(await get("/metrics", outside), "200 metrics")
})

test("refuses a second header in any spelling, and believes no other spelling (CVE-2025-64484)", async (t) => {
  const { who, get } = await start(t, [...PROXIED, ...GROUPS])
  const user = ["X-Forwarded-User", "eve"] as const
  for (const other of [
    "X-Forwarded-User",
    "x-forwarded-user",
    "X_Forwarded_User",
    "X-Forwarded_User",
    "x_forwarded-user",
  ]) {
    assert.equal(await who(user, [other, "ada"]), AMBIGUOUS, other)
    assert.equal(await get("/metrics", { headers: [user, [other, "ada"]] }), AMBIGUOUS, other)
  }
  assert.equal(await who(["X_Forwarded_User", "ada"]), NOT_SIGNED_IN)
  assert.equal(await who(["X-Forwarded-User", " "]), AMBIGUOUS)
  assert.equal(await who(["X-Forwarded-User", "\u00ff"]), AMBIGUOUS)
  const admin = ["X-Forwarded-Groups", "staff, metrics-admins"] as const
  assert.equal(await who(user, admin), is("eve", "header", true))
  assert.equal(await who(user, ["X-Forwarded-Groups", "staff,metrics-admins-2"]), is("eve", "header", false))
  assert.equal(await who(user, ["X_Forwarded_Groups", "metrics-admins"]), is("eve", "header", false))
  assert.equal(
    await who(user, ["X-Forwarded-Groups", "staff"], ["X_forwarded-groups", "metrics-admins"]),
    AMBIGUOUS.replace("user", "groups"),
  )
})

test("removes the header from requests of others, so that nothing behind this believes it", async (t) => {
  const { get } = await start(t, [...PROXIED, ...GROUPS], {
    web: `basic_auth_users: {zoe: "${hashSync("right", 4)}"}\n`,
  })
  const sent = [basic("zoe:right"), ["x_forwarded_user", "ada"], ["X-Forwarded-Groups", "metrics-admins"]] as const
  assert.equal(await get("/seen", { from: "127.0.0.2", headers: sent }), "200 []")
})

test("users of the web configuration go on as before, and are named", async (t) => {
  const { who, get, change } = await start(t, PROXIED, {
    web: `basic_auth_users: {zoe: "${hashSync("right", 4)}"}\n`,
    operators: OPERATORS,
  })
  assert.equal(await who(basic("zoe:right")), is("zoe", "password", false))
  assert.equal(await who(basic("zoe:wrong")), "401 A user name and password are needed.")
  assert.equal(await get("/metrics"), "401 A user name and password are needed.")
  assert.equal(await who(["X-Forwarded-User", "ada"]), is("ada", "header", false))
  assert.equal(await who(bearer(ADA)), is("ada", "token", true))
  for (const path of ["/who", "/metrics", "/nothing"])
    assert.equal(await get(path, { headers: [bearer("zoe:right")] }), WRONG_TOKEN, path)
  assert.equal(
    await change(basic("zoe:right")),
    "403 zoe may see sites, and not change them: that needs an operator's token, or the group of --web.admin-group.",
  )
})

test("operators change with a token that is valid now", async (t) => {
  const { change, served, get } = await start(t, [], { operators: OPERATORS })
  assert.deepEqual(
    [await change(bearer(ADA)), await change(bearer(BOB)), await change(bearer(EVE)), await change()],
    [
      is("ada", "token", true),
      is("bob", "token", true),
      WRONG_TOKEN,
      "401 Changes need an operator's token, as the header 'Authorization: Bearer TOKEN'.",
    ],
  )
  assert.equal(await get("/change", { method: "POST", headers: [bearer(ADA), bearer(BOB)] }), WRONG_TOKEN)
  // no browser sends a token by itself
  assert.equal(await change(bearer(ADA), ["Origin", "https://evil.example.org"]), is("ada", "token", true))
  assert.deepEqual(served, ["ada", "bob", "ada"])
})

test("admins by header change from the portal's own pages alone (cross-site request forgery)", async (t) => {
  const { change, served, url } = await start(t, [...PROXIED, ...GROUPS])
  const admin = [
    ["X-Forwarded-User", "ada"],
    ["X-Forwarded-Groups", "metrics-admins"],
  ] as const
  const foreign =
    "403 This request was sent by a page of another site. Send it from the status page, or without the header Origin."
  assert.deepEqual(
    [
      await change(...admin, ["Origin", "https://evil.example.org"]),
      await change(...admin, ["Origin", url], ["Sec-Fetch-Site", "same-site"]),
      await change(...admin, ["Sec-Fetch-Site", "cross-site"]),
      await change(...admin, ["Origin", "null"]),
    ],
    [foreign, foreign, foreign, foreign],
  )
  assert.deepEqual(served, [])
  assert.equal(await change(...admin, ["Origin", url]), is("ada", "header", true))
  assert.equal(await change(...admin, ["Sec-Fetch-Site", "same-origin"]), is("ada", "header", true))
  assert.match(await change(["X-Forwarded-User", "eve"]), /^403 eve may see sites/)
})

test("a proxy's own bearer token does not matter where it names the user", async (t) => {
  const { who } = await start(t, PROXIED, { operators: OPERATORS })
  assert.equal(await who(["X-Forwarded-User", "eve"], bearer("of-the-identity-provider")), is("eve", "header", false))
})

test("throttles those who try tokens, and never one who has one", async (t) => {
  const { change, log } = await start(t, [], { operators: OPERATORS })
  const seen = new Set<string>()
  for (let attempt = 0; attempt < 40; attempt += 1) seen.add((await change(bearer(`guess-${attempt}`))).slice(0, 3))
  assert.deepEqual([...seen], ["401", "429"])
  assert.equal(await change(bearer(ADA)), is("ada", "token", true))
  assert.doesNotMatch(log(), /guess-/)
})

test("reports flags that do not go together", async (t) => {
  const faultsOf = async (...argv: string[]): Promise<string> => {
    try {
      await start(t, argv)
      return ""
    } catch (error) {
      return error instanceof Error ? error.message : ""
    }
  }
  assert.deepEqual(
    [
      await faultsOf("--web.auth-header=X-User"),
      await faultsOf("--web.auth-proxy=10.0.0.0/8"),
      await faultsOf("--web.auth-groups-header=X-Groups"),
      await faultsOf(...PROXIED, "--web.admin-group=a"),
      await faultsOf(...PROXIED, "--web.auth-groups-header=x-forwarded-user", "--web.admin-group=a"),
      await faultsOf("--web.auth-header=Authorization", "--web.auth-proxy=0.0.0.0/0"),
      await faultsOf("--web.auth-header=X User", "--web.auth-proxy=10.0.0.0/33"),
    ],
    [
      "--web.auth-header: needs --web.auth-proxy: without it anybody could send the header",
      "--web.auth-proxy: needs --web.auth-header: what is to be trusted from there",
      "--web.auth-groups-header: needs --web.auth-header: whose groups they are\n--web.auth-groups-header: --web.auth-groups-header and --web.admin-group must be given together",
      "--web.admin-group: --web.auth-groups-header and --web.admin-group must be given together",
      "--web.auth-groups-header: must be another header than --web.auth-header",
      '--web.auth-header: has a meaning already; take a header that the proxy alone sets (is "Authorization")\n--web.auth-proxy: would trust every address: name the network of the proxy alone (is "0.0.0.0/0")',
      '--web.auth-header: must be the name of a header, such as X-Forwarded-User (is "X User")\n--web.auth-proxy: must be addresses such as 10.1.2.0/24, 192.0.2.7 or 2001:db8::/64 (is "10.0.0.0/33")',
    ],
  )
})

test("reports every fault of the operators' file, and repeats no token", async (t) => {
  const operators = `tokens:
  - {name: ada, sha256: abc}
  - {name: ada, sha256: ${sha256(BOB).toString("hex")}, role: root}
`
  await assert.rejects(start(t, [], { operators }), (error: Error) => {
    assert.deepEqual(
      error.message.split("\n").map((line) => line.replace(/^.*operators\.yaml/, "")),
      [
        ":2:17 tokens[0].sha256: must be 64 hexadecimal digits, as 'fedstack token hash' prints",
        `:3:${`  - {name: ada, sha256: ${"x".repeat(64)}, `.length + 1} tokens[1].role: unknown key`,
      ],
    )
    return true
  })
})
