import assert from "node:assert/strict"
import { test } from "node:test"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { fakeCloud, openFor, PASSWORD, variablesFor } from "./testing.ts"

const count = (text: string, labels: string): number =>
  Number(new RegExp(`^fedstack_openstack_requests_total\\{${labels}\\} (.*)$`, "m").exec(text)?.[1] ?? 0)

test("one sign-in serves all requests at the same time, and later ones", async (t) => {
  const cloud = await fakeCloud(t)
  const { get } = await openFor(t, { env: variablesFor(cloud.url) })
  const query = { limit: "1" }
  await Promise.all([get(), get("identity", "/projects"), get("compute", "/servers", { query, microversion: "2.40" })])
  await get()
  assert.equal(cloud.signIns.length, 1)
  assert.deepEqual(cloud.requests.toSorted(), [
    "GET /v2.1/servers token-1",
    "GET /v2.1/servers token-1",
    "GET /v2.1/servers?limit=1 token-1 compute 2.40",
    "GET /v3/projects token-1",
  ])
})

for (const [lives, lifetime, early] of [
  ["an hour", 3600, 120],
  ["a second", 1, 0.2],
] as const) {
  test(`a token that lives ${lives} is replaced ${early} s before its end, whatever the cloud's clock shows`, async (t) => {
    const cloud = await fakeCloud(t)
    cloud.lifetime = lifetime
    let time = 0
    const { get } = await openFor(t, { env: variablesFor(cloud.url), milliseconds: () => time })
    for (time of [0, (lifetime - early) * 1000 - 1, (lifetime - early) * 1000]) await get()
    const tokens = cloud.requests.map((request) => request.split(" ")[2])
    assert.deepEqual([tokens, cloud.signIns.length], [["token-1", "token-1", "token-2"], 2])
  })
}

test("a token that a service refuses is replaced once, for all that use it", async (t) => {
  const cloud = await fakeCloud(t)
  const { get, metrics } = await openFor(t, { env: variablesFor(cloud.url) })
  await get()
  cloud.valid = new Set(["token-2"])
  await Promise.all([get(), get(), get()])
  assert.equal(cloud.signIns.length, 2)
  assert.equal(count(await metrics(), 'service="compute",outcome="unauthorized"'), 3)
  assert.equal(count(await metrics(), 'service="compute",outcome="ok"'), 4)
})

test("a service that refuses new tokens too gets two requests and no more", async (t) => {
  const cloud = await fakeCloud(t)
  cloud.valid = new Set()
  const { get } = await openFor(t, { env: variablesFor(cloud.url) })
  await assert.rejects(get(), {
    code: "OPENSTACK_UNAUTHORIZED",
    responseStatus: 401,
    message: `compute at ${cloud.url}/v2.1/servers does not accept a token that is new (401). Do this service and the identity service belong together?`,
  })
  assert.deepEqual([cloud.signIns.length, cloud.requests.length], [2, 2])
})

test("refused credentials are not tried again for five minutes, or until the file with them changes", async (t) => {
  const cloud = await fakeCloud(t)
  const { write } = temporaryFolder(t)
  const { OS_PASSWORD: _, ...env } = variablesFor(cloud.url)
  const openrc = await write("usage-openrc", "export OS_PASSWORD='wrong SECRET'\n")
  let time = 0
  const { get, log, metrics } = await openFor(t, { env, openrc, milliseconds: () => time })
  const message = `${cloud.url}/v3 refuses the sign-in of user ann (401), from the environment and ${openrc}:1. Check user, domain and password, and that the user has a role on the project, domain or system it signs in to. It is tried again as soon as the credentials change, else every 5 minutes, so that the account is not locked`
  for (time of [0, 1, 299_999]) await assert.rejects(get(), { code: "OPENSTACK_UNAUTHORIZED", message })
  assert.equal(cloud.signIns.length, 1)
  time = 300_000
  await assert.rejects(get(), { code: "OPENSTACK_UNAUTHORIZED", message })
  assert.equal(cloud.signIns.length, 2)
  await write("usage-openrc", `OS_PASSWORD='${PASSWORD}'\n`)
  assert.deepEqual(await get(), { ok: true })
  assert.ok(!(log() + (await metrics())).includes("SECRET"))
})

test("a credential that Keystone does not find reads as refused, and an address that it does not find does not", async (t) => {
  const cloud = await fakeCloud(t)
  const env = {
    ...{ OS_AUTH_URL: cloud.url, OS_AUTH_TYPE: "v3applicationcredential" },
    ...{ OS_APPLICATION_CREDENTIAL_ID: "c1", OS_APPLICATION_CREDENTIAL_SECRET: "SECRET" },
  }
  const missing = { error: { code: 404, message: "Could not find Application Credential: c1.", title: "Not Found" } }
  cloud.signIn = (_, response) => response.writeHead(404).end(JSON.stringify(missing))
  const { get } = await openFor(t, { env })
  for (let times = 0; times < 2; times += 1)
    await assert.rejects(get(), {
      code: "OPENSTACK_UNAUTHORIZED",
      message: `${cloud.url}/v3 refuses the sign-in of application credential c1 (404: Could not find Application Credential: c1.), from the environment. Check its id (or name and user) and secret, and that it has not expired or been deleted. It is tried again as soon as the credentials change, else every 5 minutes, so that the account is not locked`,
    })
  assert.equal(cloud.signIns.length, 1)
  cloud.signIn = (_, response) => response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not Found</h1>")
  await assert.rejects((await openFor(t, { env })).get(), {
    code: "OPENSTACK_NOT_FOUND",
    message: `identity at ${cloud.url}/v3/auth/tokens has no such address (404)`,
  })
})

test("a password that changes while a token is in use is used for the next sign-in", async (t) => {
  const cloud = await fakeCloud(t)
  const { write } = temporaryFolder(t)
  const openrc = await write("usage-openrc", `OS_PASSWORD='${PASSWORD}'\n`)
  const { get } = await openFor(t, { env: variablesFor(cloud.url), openrc })
  await get()
  cloud.password = "next"
  cloud.valid = new Set(["token-2"])
  await write("usage-openrc", "OS_PASSWORD=next\n")
  assert.deepEqual(await get(), { ok: true })
})

test("a cancelled request does not wait, and the sign-in goes on for the others", async (t) => {
  const cloud = await fakeCloud(t)
  const ending = new AbortController()
  const { promise: waiting, resolve: wait } = Promise.withResolvers<void>()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  cloud.signIn = (_, response) => {
    cloud.signIn = undefined
    wait()
    void released.then(() =>
      response.writeHead(201, { "x-subject-token": "late" }).end(
        JSON.stringify({
          token: {
            issued_at: "2026-01-01T00:00:00.000000Z",
            expires_at: "2026-01-01T01:00:00.000000Z",
            catalog: cloud.catalog,
          },
        }),
      ),
    )
  }
  const { get } = await openFor(t, { env: variablesFor(cloud.url) })
  const [impatient, patient] = [get("compute", "/a", { signal: ending.signal }), get()]
  const refused = assert.rejects(impatient, { code: "OPENSTACK_ABORTED" })
  await waiting
  ending.abort()
  await refused
  release()
  await patient
  assert.deepEqual(cloud.requests, ["GET /v2.1/servers late"])
})

test("a request that was cancelled before it began leaves no failure of the sign-in behind", async (t) => {
  const cloud = await fakeCloud(t)
  cloud.password = "another"
  const { get } = await openFor(t, { env: variablesFor(cloud.url) })
  await assert.rejects(get("compute", "/a", { signal: AbortSignal.abort() }), { code: "OPENSTACK_ABORTED" })
  await assert.rejects(get(), { code: "OPENSTACK_UNAUTHORIZED" }) // joins the sign-in, and fails with it
})

test("a service's clock is that of its last response with a date", async (t) => {
  const cloud = await fakeCloud(t)
  const { get, apis } = await openFor(t, { env: variablesFor(cloud.url) })
  cloud.respond = (_, response) => response.setHeader("date", "Sun, 01 Mar 2026 12:00:01 GMT").end("{}")
  await get()
  cloud.respond = (_, response) => {
    response.sendDate = false
    response.end("{}")
  }
  await get()
  assert.equal(apis[0]?.dateOf("compute"), Date.UTC(2026, 2, 1, 12, 0, 1) / 1000)
  assert.equal(apis[0]?.dateOf("identity"), undefined)
})
