import assert from "node:assert/strict"
import test, { type TestContext } from "node:test"
import { fakeSite, fakeSites } from "./fake-sites.testing.ts"
import { fakeSource } from "./fake-source.testing.ts"
import { servePages } from "./testing.ts"

async function start(t: TestContext, number = 2) {
  const source = fakeSource(fakeSites(number))
  const { url, log, close } = await servePages(source)
  t.after(close)
  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, { redirect: "manual", ...init })
  return {
    source,
    url,
    log,
    get,
    post: (path: string, init: RequestInit = {}) => get(path, { method: "POST", ...init }),
  }
}

const TROUBLED = {
  name: "aachen-1",
  labels: { location: "Aachen", location_id: "8000" },
  url: "https://aachen-1.example.org/monitoring",
  state: "down",
  cause: "tls_expired",
  reason: "The site's certificate expired 3 days ago.",
  todo: "Ask the site to renew the certificate of its proxy.",
  since: "2026-11-27T10:07:31Z",
  last_delivery: "2026-11-27T10:07:31Z",
  series: null,
  series_day_ago: null,
  duration_seconds: null,
  shard: "prometheus",
}

const DELIVERING = {
  name: "bonn-2",
  labels: { location: "Bonn", location_id: "8001" },
  url: "https://bonn-2.example.org/monitoring",
  state: "ok",
  cause: null,
  reason: null,
  todo: null,
  since: "2026-11-30T00:07:31Z",
  last_delivery: "2026-11-30T14:07:30Z",
  series: 8219,
  series_day_ago: 8219,
  duration_seconds: 0.47,
  shard: "prometheus",
}

test("lists the sites, those in trouble first", async (t) => {
  const { get } = await start(t)
  const response = await get("/api/v1/sites")
  assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8")
  assert.deepEqual(await response.json(), { sites: [TROUBLED, DELIVERING], as_of: "2026-11-30T14:07:31Z" })
})

test("filters and sorts as the page does", async (t) => {
  const { get } = await start(t)
  const names = async (query: string): Promise<readonly string[]> =>
    ((await (await get(`/api/v1/sites${query}`)).json()) as { sites: { name: string }[] }).sites.map(({ name }) => name)
  assert.deepEqual(await names("?state=down,stale&reason=tls_expired"), ["aachen-1"])
  assert.deepEqual(await names("?q=location%3Dbonn"), ["bonn-2"])
  assert.deepEqual(await names("?sort=-name"), ["bonn-2", "aachen-1"])
  assert.deepEqual(await names("?state=stale"), [])
})

test("refuses a filter that it does not understand", async (t) => {
  const { get } = await start(t)
  const response = await get("/api/v1/sites?state=green&sort=size")
  assert.equal(response.status, 400)
  assert.deepEqual(await response.json(), {
    error: {
      code: "WRONG_FILTER",
      message:
        "state must be any of down, stale, attention, waiting, ok, paused, unknown. sort must be one of state, name, since, last, series, duration, with a - before it for the reverse.",
    },
  })
})

test("shows all that is known of a site, and no secret", async (t) => {
  const { get } = await start(t)
  const cause = { cause: "tls_expired", reason: TROUBLED.reason, todo: TROUBLED.todo }
  const passed = (stage: string, detail: string, seconds: number) => ({ stage, outcome: "passed", detail, seconds })
  const missed = (stage: string) => ({ stage, outcome: "not_reached", detail: null, seconds: null })
  assert.deepEqual(await (await get("/api/v1/sites/aachen-1")).json(), {
    ...TROUBLED,
    last_state: "down",
    interval_seconds: 30,
    timeout_seconds: 30,
    day: Array.from({ length: 96 }, () => "down"),
    day_ends: "2026-11-30T14:15:00Z",
    match: ['{job="project_usages",__name__=~"project_.*_usage"}'],
    where: "sites.yaml:12:5",
    credentials: { kind: "a bearer token", file: "tokens/aachen-1" },
    tls: { ca_file: "ca.pem", cert_file: null, key_file: null, server_name: null },
    proxy_url: null,
    pushes: null,
    paused: null,
    token_expires: null,
    certificate_expires: "2026-12-06T14:07:31Z",
    report: {
      site: "aachen-1",
      at: "2026-11-30T14:07:22Z",
      stages: [
        passed("name", "192.0.2.14, 2001:db8::14", 0.003),
        passed("connection", "192.0.2.14:443", 0.012),
        { stage: "tls", outcome: "failed", detail: "certificate expired", seconds: 0.027 },
        ...["token", "selectors", "response", "exposition", "freshness"].map(missed),
      ],
      findings: [cause],
      certificate_expires: null,
      token_expires: null,
      clock_skew_seconds: 0.1,
      newest_sample: null,
      series: 2204,
    },
    changes: [
      {
        at: "2026-11-27T10:07:31Z",
        until: "2026-11-30T14:07:22Z",
        count: 412,
        state: "down",
        cause: "tls_expired",
        reason: TROUBLED.reason,
        text: 'Get "https://aachen-1.example.org/monitoring/federate?match[]=…": certificate expired',
      },
      {
        at: "2026-11-25T10:07:31Z",
        until: "2026-11-25T10:07:31Z",
        count: 1,
        state: "ok",
        cause: null,
        reason: null,
        text: null,
      },
    ],
  })
})

test("sums up for tabs, under a tag that changes only with what they show", async (t) => {
  const { get, source } = await start(t)
  const first = await get("/api/v1/summary")
  const { icon, ...rest } = (await first.json()) as { icon: string }
  assert.match(icon, /^\/static\/trouble\.[\w-]{12}\.svg$/)
  assert.deepEqual(rest, {
    title: "1 of 2 sites doesn't deliver · fedstack",
    mood: "trouble",
    counts: { total: 2, down: 1, stale: 0, attention: 0, waiting: 0, ok: 1, paused: 0, unknown: 0 },
    banners: [],
    config: { confirmed: "2026-11-30T14:03:19Z", rule_files: ["sites.yml", "usage.yml"] },
  })
  const again = (): Promise<Response> =>
    get("/api/v1/summary", { headers: { "if-none-match": first.headers.get("etag") ?? "" } })
  source.change("bonn-2", { series: 9000 })
  assert.equal((await again()).status, 304)
  source.change("bonn-2", { state: "down" })
  assert.equal((await again()).status, 200)
  const banner = { id: "config_refused", severity: "trouble", message: "It is refused.", todo: "Mend it." } as const
  source.replace({ banners: [{ ...banner, since: new Date("2026-11-30T14:00:00Z") }] })
  const { banners } = (await (await again()).json()) as { banners: unknown }
  assert.deepEqual(banners, [{ ...banner, since: "2026-11-30T14:00:00Z" }])
})

test("shows a change at once, and what did not change under its tag", async (t) => {
  const { get, source } = await start(t)
  const etag = (await get("/api/v1/sites")).headers.get("etag") ?? ""
  const headers = { "if-none-match": `"other", ${etag}` }
  assert.equal((await get("/api/v1/sites", { headers })).status, 304)
  source.change("bonn-2", { series: 1 })
  const response = await get("/api/v1/sites", { headers })
  assert.deepEqual(await response.json(), {
    sites: [TROUBLED, { ...DELIVERING, series: 1 }],
    as_of: "2026-11-30T14:07:31Z",
  })
})

test("checks a site when a POST wants it", async (t) => {
  const { post, source } = await start(t)
  const response = await post("/api/v1/sites/bonn-2/check")
  assert.equal(response.status, 200)
  const { site, stages, findings } = (await response.json()) as { site: string; stages: unknown[]; findings: unknown[] }
  assert.deepEqual([site, stages.length, findings, source.checks], ["bonn-2", 8, [], ["bonn-2"]])
})

test("says when a site can be checked again", async (t) => {
  const { post, source } = await start(t)
  source.nextCheck({ kind: "too_soon", retryAfter: 6.2 })
  source.nextCheck({ kind: "busy", retryAfter: 0 })
  const responses = [await post("/api/v1/sites/bonn-2/check"), await post("/api/v1/sites/bonn-2/check")]
  assert.deepEqual(
    await Promise.all(responses.map(async (r) => [r.status, r.headers.get("retry-after"), await r.json()])),
    [
      [
        429,
        "7",
        {
          error: {
            code: "CHECKED_JUST_NOW",
            message: "This site was checked a moment ago; it can be checked again in 7 s.",
          },
        },
      ],
      [
        503,
        "1",
        {
          error: { code: "CHECKS_BUSY", message: "Too many sites are being checked at the moment; try again in 1 s." },
        },
      ],
    ],
  )
})

test("refuses a check that a page of another site sent (cross-site request forgery)", async (t) => {
  const { post, source, url } = await start(t)
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await post("/api/v1/sites/bonn-2/check", { headers })).status
  assert.deepEqual(
    [
      await status({ "sec-fetch-site": "cross-site" }),
      await status({ "sec-fetch-site": "same-site", origin: url }),
      await status({ origin: "https://evil.example.org" }),
      await status({ origin: "null" }),
    ],
    [403, 403, 403, 403],
  )
  assert.deepEqual(source.checks, [])
  assert.deepEqual(
    [
      await status({ "sec-fetch-site": "same-origin" }),
      await status({ "sec-fetch-site": "none" }),
      await status({ origin: url }),
      await status({}),
    ],
    [200, 200, 200, 200],
  )
})

test("responds in JSON where there is nothing, or not by this method", async (t) => {
  const { get, post } = await start(t)
  const seen = await Promise.all(
    [
      get("/api/v1/sites/nobody"),
      post("/api/v1/sites/nobody/check"),
      get("/api/v1/nothing"),
      get("/api/v1/sites/a/b/c"),
      post("/api/v1/sites"),
      get("/api/v1/sites/bonn-2", { method: "DELETE" }),
      get("/api/v1/sites/bonn-2/check"),
      post("/api/v1/sites/bonn-2/check", { body: "{", headers: { "content-type": "application/json" } }),
    ].map(async (response) => {
      const { status, headers } = await response
      const { error } = (await (await response).json()) as { error: { code: string } }
      return `${status} ${error.code} ${headers.get("allow") ?? ""}`.trim()
    }),
  )
  assert.deepEqual(seen, [
    "404 SITE_NOT_FOUND",
    "404 SITE_NOT_FOUND",
    "404 NOT_FOUND",
    "404 NOT_FOUND",
    "405 METHOD_NOT_ALLOWED GET, HEAD",
    "405 METHOD_NOT_ALLOWED GET, HEAD",
    "405 METHOD_NOT_ALLOWED POST",
    "400 MALFORMED",
  ])
})

test("responds to HEAD as to GET, without a body", async (t) => {
  const { get } = await start(t)
  for (const path of [
    "/api/v1/sites",
    "/api/v1/sites/bonn-2",
    "/api/v1/summary",
    "/api/v1/openapi.json",
    "/",
    "/sites/bonn-2",
  ]) {
    const [head, got] = [await get(path, { method: "HEAD" }), await get(path)]
    assert.deepEqual(
      [head.status, head.headers.get("etag"), await head.text()],
      [200, got.headers.get("etag"), ""],
      path,
    )
  }
})

test("the list of many sites can be had compressed", async (t) => {
  const { url } = await start(t, 100)
  const response = await fetch(`${url}/api/v1/sites`, { headers: { "accept-encoding": "gzip" } })
  assert.equal(response.headers.get("content-encoding"), "gzip")
  assert.equal(((await response.json()) as { sites: unknown[] }).sites.length, 100)
})

test("a time that is none is null, not an error", async (t) => {
  const source = fakeSource([fakeSite("a", { lastDelivery: new Date(Number.NaN) })])
  const { url, close } = await servePages(source)
  t.after(close)
  const { sites } = (await (await fetch(`${url}/api/v1/sites`)).json()) as { sites: { last_delivery: unknown }[] }
  assert.equal(sites[0]?.last_delivery, null)
})
