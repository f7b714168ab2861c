import assert from "node:assert/strict"
import {
  createServer as createHttpServer,
  type IncomingMessage,
  request as forward,
  type ServerResponse,
} from "node:http"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { after, before, test, type TestContext } from "node:test"
import { makeAuthority } from "../../../../../dev/testing/certificates.ts"
import { need } from "../../../../../dev/testing/component.ts"
import { listen } from "../../../../../dev/testing/listen.ts"
import {
  findOpenStack,
  type RunningOpenStack,
  type Seed,
  startOpenStack,
} from "../../../../../dev/testing/openstack.ts"
import { openFor } from "./testing.ts"
import { fileOf } from "../testing.ts"
import { agree, expectedUsage, type Scraped, startRealExporter } from "./real-exporter.testing.ts"

const script = findOpenStack()
/** Tokens live for seconds and pages are short, so that every test here meets their ends. */
let cloud: RunningOpenStack
let seed: Seed

before(
  async () => {
    if (!("value" in script)) return
    cloud = await startOpenStack(script.value, { keep: "small", maxLimit: 7, tokenSeconds: 5 })
    seed = await cloud.seed()
  },
  { timeout: 180_000 },
)
after(() => cloud?.close())

function real(name: string, body: (t: TestContext) => Promise<void>): void {
  test(name, { timeout: 90_000 }, async (t) => {
    if (need(t, script) !== undefined) await body(t)
  })
}

const WEIGHTS = `
[[weights]]
resource_set_timestamp = 1735689600
vcpus = [{ value = 1, weight = 0.5 }, { value = 8, weight = 2 }]
memory_mb = [{ value = 4, weight = 0.25 }, { value = 4096, weight = 0.75 }, { value = 16384, weight = 3 }]
[[weights]]
resource_set_timestamp = 1736049600
vcpus = [{ value = 64, weight = 5 }]
memory_mb = []
`
const EVERYTHING = ["--domain", "--start", "2025-01-02T12:00:00"]

real("agrees with a computation from what was seeded: weights, clipping, all domains, pages of seven", async (t) => {
  const exporter = await startRealExporter(t, cloud.openrc, [...EVERYTHING, "-w", fileOf(t, WEIGHTS, "weights.toml")])
  const scraped = await exporter.first()
  agree(scraped, expectedUsage(seed, { start: "2025-01-02T12:00:00Z", end: scraped.end, weights: true }))
})

real("agrees with it without weights, for one domain, since the first server's start", async (t) => {
  const exporter = await startRealExporter(t, cloud.openrc, ["--domain", "elixir", "--start", "2025-01-01"])
  const scraped = await exporter.first()
  agree(
    scraped,
    expectedUsage(seed, { start: "2025-01-01T00:00:00Z", end: scraped.end, weights: false, domain: "elixir" }),
  )
})

real("agrees with Nova's own list of servers, deleted ones included", async (t) => {
  const { get } = await openFor(t, { env: cloud.openrc })
  const listed = new Map<string, readonly unknown[]>()
  for (const deleted of ["True", "False"]) {
    let marker: string | undefined
    do {
      const query = { all_tenants: "True", deleted, limit: "7", ...(marker === undefined ? {} : { marker }) }
      const { servers } = (await get("compute", "/servers/detail", { query, microversion: "2.47" })) as {
        servers: readonly Readonly<Record<string, unknown>>[]
      }
      for (const server of servers) {
        const { vcpus, ram } = server.flavor as { vcpus: number; ram: number }
        const times = [server["OS-SRV-USG:launched_at"], server["OS-SRV-USG:terminated_at"]]
        listed.set(String(server.id), [server.tenant_id, vcpus, ram, ...times])
      }
      marker = servers.length === 0 ? undefined : String(servers.at(-1)?.id)
    } while (marker !== undefined)
  }
  const seeded = Object.values(seed.servers).map(
    ({ id, project_id, vcpus, memory_mb, launched_at, terminated_at }) =>
      [id, [project_id, vcpus, memory_mb, launched_at, terminated_at]] as const,
  )
  assert.deepEqual(listed, new Map(seeded))
})

real("splits the pool by its tag, and counts servers without one", async (t) => {
  const pool = Object.values(seed.projects).find(({ name }) => name === "simplevm")
  assert.ok(pool)
  const argv = [...EVERYTHING, "--simple-vm-id", pool.id]
  const exporter = await startRealExporter(t, cloud.openrc, argv)
  const scraped = await exporter.first()
  const owned = { start: "2025-01-02T12:00:00Z", end: scraped.end, weights: false, pool: pool.id }
  agree(scraped, expectedUsage(seed, owned))
  // one without a tag, and one that was deleted before the exporter first saw it
  assert.equal(scraped.value("fedstack_project_usage_untagged_servers"), 2)
  const lead = scraped.value("fedstack_project_usage_clock_lead_seconds") ?? Number.NaN
  assert.ok(Math.abs(lead) < 5, `the clocks differ by ${lead} s`)
})

real("sends as many requests as there are pages", async (t) => {
  const exporter = await startRealExporter(t, cloud.openrc, [...EVERYTHING, "--update-interval", "1h"])
  const scraped = await exporter.first()
  // never started servers have no usage, those that ended before the start none in the period
  const start = Date.parse("2025-01-02T12:00:00Z")
  const used = Object.values(seed.servers).filter(
    ({ launched_at, terminated_at }) =>
      launched_at !== null && (terminated_at === null || Date.parse(`${terminated_at}Z`) >= start),
  ).length
  assert.equal(
    scraped.value('fedstack_openstack_requests_total{service="compute",outcome="ok"}'),
    Math.floor(used / 7) + 1,
  )
  // sign-in, domains, projects
  assert.equal(scraped.value('fedstack_openstack_requests_total{service="identity",outcome="ok"}'), 3)
})

real("goes on over the ends of tokens without a failure", async (t) => {
  const exporter = await startRealExporter(t, cloud.openrc, [...EVERYTHING, "--update-interval", "1s"])
  const responses = (scraped: Scraped, service: string): number =>
    scraped.value(`fedstack_openstack_requests_total{service="${service}",outcome="ok"}`) ?? 0
  const pages = responses(await exporter.first(), "compute")
  // beside sign-ins an update requests domains and projects; of one under way both may be counted already
  const signedIn = (scraped: Scraped): number =>
    responses(scraped, "identity") - 2 * Math.ceil(responses(scraped, "compute") / pages) - 2
  const scraped = await exporter.until("the third sign-in", (now) => signedIn(now) >= 3)
  assert.equal(scraped.up, 1)
  assert.deepEqual(scraped.lines(/^fedstack_project_usage_cloud_failures_total\{/), [])
})

real("goes on where it was when its token is revoked between two pages", async (t) => {
  const pages: string[] = []
  let revoked: string | undefined
  const revoke = async (token: string): Promise<void> => {
    const headers = { "x-auth-token": token, "x-subject-token": token }
    assert.equal((await fetch(`${cloud.authUrl}/auth/tokens`, { method: "DELETE", headers })).status, 204)
    revoked = token
    // for minutes Nova accepts a token that it has seen; after a restart it checks it with Keystone
    await cloud.stop("nova-api")
    await cloud.start()
  }
  const nova = createHttpServer((request, response) => {
    const token = String(request.headers["x-auth-token"])
    const forwarded = (status: number): void => {
      const { searchParams } = new URL(request.url ?? "", cloud.novaUrl)
      pages.push(`${status} ${token === revoked ? "revoked" : "valid"} ${searchParams.get("marker")}`)
    }
    const ready = pages.length === 1 ? revoke(token) : Promise.resolve()
    ready
      .then(() => forwardTo(cloud.novaUrl, request, response, forwarded))
      .catch((error: unknown) => response.destroy(error as Error))
  })
  const env = { ...cloud.openrc, OS_COMPUTE_ENDPOINT_OVERRIDE: `http://127.0.0.1:${await listen(t, nova)}/v2.1` }
  const exporter = await startRealExporter(t, env, [...EVERYTHING, "--update-interval", "1h"])
  const scraped = await exporter.until("usage", ({ up }) => up === 1)
  const [first, refused = "", again, ...more] = pages
  assert.equal(first, "200 valid null")
  assert.match(refused, /^401 revoked [0-9a-f-]{36}$/)
  assert.equal(again, refused.replace("401 revoked", "200 valid"))
  assert.ok(more.length > 0 && !more.some((page) => page.endsWith("null")))
  assert.deepEqual(scraped.lines(/^fedstack_project_usage_cloud_failures_total\{/), [])
  agree(scraped, expectedUsage(seed, { start: "2025-01-02T12:00:00Z", end: scraped.end, weights: false }))
})

for (const [service, reason, message] of [
  ["nova-api", "refused", /compute at \S+: the connection was refused: .*\. Is the service running there\?/],
  ["keystone", "refused", /identity at \S+: the connection was refused: .*\. Is the service running there\?/],
] as const) {
  real(`keeps the last values while ${service} is down, logs why, and goes on when it is back`, async (t) => {
    const exporter = await startRealExporter(t, cloud.openrc, [...EVERYTHING, "--update-interval", "1s"])
    await exporter.first()
    await cloud.stop(service)
    const last = await exporter.until("a failure", ({ up }) => up === 0)
    const later = await exporter.until("another", (now) => failures(now, reason) > failures(last, reason))
    assert.ok(last.usage.size > 0)
    assert.deepEqual(later.usage, last.usage)
    assert.match(exporter.log(), message)
    await cloud.start()
    const back = await exporter.until("usage again", ({ up }) => up === 1)
    agree(back, expectedUsage(seed, { start: "2025-01-02T12:00:00Z", end: back.end, weights: false }))
  })
}

function forwardTo(
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
  onStatus: (status: number) => void = () => undefined,
): void {
  const { method, headers } = request
  const onward = forward(new URL(request.url ?? "", url), { method, headers }, (incoming) => {
    onStatus(incoming.statusCode ?? 0)
    response.writeHead(incoming.statusCode ?? 502, incoming.headers)
    incoming.pipe(response)
  })
  request.pipe(onward.on("error", () => response.destroy()))
}

const failures = (scraped: Scraped, reason: string): number =>
  scraped.value(`fedstack_project_usage_cloud_failures_total{reason="${reason}"}`) ?? 0

real("reports that the password is wrong, and never shows it", async (t) => {
  const exporter = await startRealExporter(t, { ...cloud.openrc, OS_PASSWORD: "not-this-one" }, EVERYTHING)
  const scraped = await exporter.until("a failure", (now) => failures(now, "unauthorized") > 0)
  assert.deepEqual([scraped.up, scraped.usage.size], [0, 0])
  assert.match(exporter.log(), /does not accept|refuse/)
  assert.ok(!exporter.log().includes("not-this-one") && !scraped.text.includes("not-this-one"))
})

real("reports which policy refuses a user who is no admin", async (t) => {
  const env = {
    ...cloud.openrc,
    OS_USERNAME: "reader",
    OS_USER_DOMAIN_NAME: "elixir",
    OS_PROJECT_NAME: "bio-alpha",
    OS_PROJECT_DOMAIN_ID: seed.domains.elixir ?? "",
  }
  const exporter = await startRealExporter(t, env, EVERYTHING)
  const scraped = await exporter.until("a failure", (now) => failures(now, "forbidden") > 0)
  assert.deepEqual([scraped.up, scraped.usage.size], [0, 0])
  assert.match(exporter.log(), /refuses the user \(403\): the policy \S+ requires another role/)
})

real("exports nothing of lists that are cut: at /v2, and behind a gateway that drops the header", async (t) => {
  const gateway = createHttpServer((request, response) => {
    delete request.headers["openstack-api-version"]
    forwardTo(cloud.novaUrl, request, response)
  })
  const through = `http://127.0.0.1:${await listen(t, gateway)}/v2.1`
  for (const [url, wayOut] of [
    [cloud.novaUrl.replace("/v2.1", "/v2"), `to ${cloud.novaUrl}, or correct the catalog`],
    [through, "a gateway before it drops the header: let it pass in both directions"],
  ] as const) {
    const env = { ...cloud.openrc, OS_COMPUTE_ENDPOINT_OVERRIDE: url }
    const exporter = await startRealExporter(t, env, EVERYTHING)
    const scraped = await exporter.until("a failure", (now) => failures(now, "microversion") > 0)
    assert.deepEqual([scraped.up, scraped.usage.size], [0, 0])
    assert.ok(exporter.log().includes(wayOut), exporter.log())
  }
})

real("reports that a microversion is not supported", async (t) => {
  const { get } = await openFor(t, { env: cloud.openrc })
  await assert.rejects(
    get("compute", "/servers", { microversion: "2.999" }),
    /does not support microversion 2\.999 \(406\)/,
  )
})

real("reads through TLS with a private authority, and names OS_CACERT without it", async (t) => {
  const authority = makeAuthority("private")
  const tls = authority.issue({ name: "cloud", sans: ["IP:127.0.0.1"] })
  const terminate = async (url: string): Promise<string> => {
    const server = createServer(tls, (request, response) => forwardTo(url, request, response))
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const identity = await terminate(cloud.authUrl)
  const env = {
    ...cloud.openrc,
    OS_AUTH_URL: `${identity}/v3`,
    OS_IDENTITY_ENDPOINT_OVERRIDE: `${identity}/v3`,
    OS_COMPUTE_ENDPOINT_OVERRIDE: `${await terminate(cloud.novaUrl)}/v2.1`,
  }
  const stranger = await startRealExporter(t, env, EVERYTHING)
  await stranger.until("a failure", (now) => failures(now, "tls") > 0)
  assert.match(stranger.log(), /the certificate is of an unknown authority.*\. Give the authority's file: OS_CACERT/)

  const exporter = await startRealExporter(t, { ...env, OS_CACERT: fileOf(t, authority.cert, "ca.pem") }, EVERYTHING)
  const scraped = await exporter.first()
  agree(scraped, expectedUsage(seed, { start: "2025-01-02T12:00:00Z", end: scraped.end, weights: false }))
})
