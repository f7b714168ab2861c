import assert from "node:assert/strict"
import type { RequestListener } from "node:http"
import { test } from "node:test"
import { freePort } from "../../../../../dev/testing/free-port.ts"
import type { Service } from "./api.ts"
import { fakeCloud, openFor, variablesFor } from "./testing.ts"

const respondWith =
  (status: number, body = "{}", headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, headers).end(body)
const HTML = { "content-type": "text/html" }
const PAGE = "<html>Service Unavailable SECRET</html>"

interface Case {
  readonly what: string
  readonly respond: RequestListener
  readonly service?: Service
  readonly path?: string
  readonly microversion?: string
  readonly reason: string
  /** How many requests it gets; default 1. */
  readonly times?: number
  /** After `compute at http://…/v2.1/servers`. */
  readonly message: string
}

const forbidden = (service: Service, path: string, policy: string, wayOut = ""): Case => ({
  what: `a user without the rights for ${path}`,
  respond: respondWith(403),
  service,
  path,
  reason: "forbidden",
  message: ` refuses the user (403): the policy ${policy} requires another role; docs/openstack.md lists which${wayOut}`,
})

const CASES: readonly Case[] = [
  forbidden("compute", "/os-simple-tenant-usage", "os_compute_api:os-simple-tenant-usage:list"),
  forbidden("compute", "/servers/detail", "os_compute_api:servers:detail:get_all_tenants"),
  forbidden("compute", "/os-quota-sets/1", "os_compute_api:os-quota-sets:show"),
  forbidden("identity", "/projects", "identity:list_projects"),
  forbidden("identity", "/domains", "identity:list_domains", ". To export one domain needs less: --domain-id"),
  {
    what: "a microversion that is not supported",
    respond: respondWith(406),
    microversion: "2.40",
    reason: "microversion",
    message: " does not support microversion 2.40 (406). Nova 15 (Ocata) or later is needed",
  },
  {
    what: "a service that is down behind its proxy",
    respond: respondWith(503, PAGE, HTML),
    reason: "server_error",
    message: " responded with 503: it, or a proxy in front of it, is failing",
  },
  {
    what: "a web page",
    respond: respondWith(200, PAGE, HTML),
    reason: "not_json",
    message: " sent text/html, not JSON. Is that the address of an OpenStack service, or of a web page before it?",
  },
  {
    what: "JSON that breaks off",
    respond: respondWith(200, '{"servers": [{"id": "SECRET'),
    reason: "not_json",
    message: " sent JSON that is broken or breaks off",
  },
  {
    what: "a redirect",
    respond: respondWith(302, "", { location: "https://elsewhere/SECRET" }),
    reason: "redirect",
    message: " redirects (302), and redirects are not followed. Is the address right, with https and the port?",
  },
  {
    what: "a request that is wrong, in the service's words",
    respond: respondWith(400, '{"badRequest": {"code": 400, "message": "Invalid\\nstart time"}}'),
    reason: "bad_request",
    message: " responded with 400: Invalid start time",
  },
  {
    what: "an address that is not there",
    respond: respondWith(404, "gone", HTML),
    reason: "not_found",
    message: " has no such address (404)",
  },
  {
    what: "too many requests",
    respond: respondWith(429),
    reason: "rate_limited",
    message: " is sent too many requests (429). Raise --update-interval, or its limit",
  },
  {
    what: "no response in time",
    respond: () => undefined,
    reason: "timeout",
    message: ": no whole response within 0.5 s. If it is only slow, raise --os-timeout",
  },
  {
    what: "a connection that breaks",
    respond: (request) => request.socket.destroy(),
    times: 2,
    reason: "connection",
    message:
      ": the connection was closed without a response. Does it speak https there, or want a client certificate (OS_CERT, OS_KEY)?",
  },
]
for (const {
  what,
  respond,
  service = "compute",
  path = "/servers",
  microversion,
  reason,
  times = 1,
  message,
} of CASES) {
  test(`reports ${what}`, async (t) => {
    const cloud = await fakeCloud(t)
    cloud.respond = respond
    const { get, metrics } = await openFor(t, {
      env: variablesFor(cloud.url),
      timeout: reason === "timeout" ? 0.5 : 30,
    })
    const options = microversion === undefined ? {} : { microversion }
    const url = `${cloud.url}/${service === "compute" ? "v2.1" : "v3"}${path}`
    await assert.rejects(get(service, path, options), {
      name: "FedstackError",
      code: `OPENSTACK_${reason.toUpperCase()}`,
      message: `${service} at ${url}${message}`,
    })
    const series = `fedstack_openstack_requests_total{service="${service}",outcome="${reason}"} ${times}`
    assert.ok((await metrics()).split("\n").includes(series))
  })
}

test("a connection that the service closed just then is no failure", async (t) => {
  const cloud = await fakeCloud(t)
  cloud.respond = (request) => {
    cloud.respond = undefined
    request.socket.destroy()
  }
  const { get } = await openFor(t, { env: variablesFor(cloud.url) })
  assert.deepEqual(await get(), { ok: true })
})

const SIGN_INS: readonly (readonly [string, RequestListener, string])[] = [
  [
    "an identity service that is down",
    respondWith(503, PAGE, HTML),
    "identity at URL responded with 503: it, or a proxy in front of it, is failing",
  ],
  [
    "a web page in its place",
    respondWith(201, PAGE, HTML),
    "URL sent text/html, not JSON. Is that the address of an OpenStack service, or of a web page before it?",
  ],
  [
    "a response that is no token",
    respondWith(201, '{"token": {}}', { "x-subject-token": "SECRET" }),
    "URL sent something that is no token. Is that an identity service, version 3?",
  ],
  [
    "no response of it in time",
    () => undefined,
    "sign-in at URL: no whole response within 0.5 s. If it is only slow, raise --os-timeout",
  ],
]
for (const [what, respond, message] of SIGN_INS) {
  test(`reports ${what}`, async (t) => {
    const cloud = await fakeCloud(t)
    cloud.signIn = respond
    // the others have time, on a busy machine too
    const timeout = message.includes("0.5 s") ? 0.5 : 30
    const { get } = await openFor(t, { env: variablesFor(cloud.url), timeout })
    await assert.rejects(get(), { message: message.replace("URL", `${cloud.url}/v3/auth/tokens`) })
  })
}

test("reports a refused connection and a name without an address", async (t) => {
  const port = await freePort()
  const refused = await openFor(t, { env: variablesFor(`http://127.0.0.1:${port}`) })
  await assert.rejects(refused.get(), {
    code: "OPENSTACK_REFUSED",
    message: `sign-in at http://127.0.0.1:${port}/v3/auth/tokens: the connection was refused: connect ECONNREFUSED 127.0.0.1:${port}. Is the service running there?`,
  })
  const unknown = await openFor(t, { env: variablesFor("http://keystone.invalid") })
  await assert.rejects(unknown.get(), {
    code: "OPENSTACK_DNS",
    message:
      /^sign-in at http:\/\/keystone\.invalid\/v3\/auth\/tokens: the (?:host name does not exist|name servers give no usable response for the host name): getaddrinfo (?:ENOTFOUND|EAI_AGAIN) keystone\.invalid\. Check the name and the name servers$/,
  })
})
