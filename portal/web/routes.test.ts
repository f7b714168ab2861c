import assert from "node:assert/strict"
import test, { type TestContext } from "node:test"
import { fakeSites } from "./fake-sites.testing.ts"
import { fakeSource } from "./fake-source.testing.ts"
import { servePages } from "./testing.ts"

async function start(t: TestContext, number = 2) {
  const source = fakeSource(fakeSites(number))
  const { url, close } = await servePages(source)
  t.after(close)
  return { source, get: (path: string, init: RequestInit = {}) => fetch(url + path, { redirect: "manual", ...init }) }
}

test("every response has the headers that keep other sites out", async (t) => {
  const { get } = await start(t)
  for (const path of ["/", "/sites/bonn-2", "/sites/nobody", "/api/v1/sites", "/api/v1/nothing", "/nothing"]) {
    const { headers } = await get(path)
    assert.deepEqual(
      [
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
      ].map((name) => headers.get(name)),
      [
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "nosniff",
        "no-referrer",
        "same-origin",
        "same-origin",
      ],
      path,
    )
  }
})

test("pages have nothing that the policy refuses: no inline script, style or handler", async (t) => {
  const { get } = await start(t, 30)
  for (const path of ["/", "/sites/aachen-1"]) {
    assert.doesNotMatch(
      await (await get(path)).text(),
      /<style|<script(?![^>]* src=)|\sstyle=|\son\w+=|https?:\/\/[^"]*"\s*>/,
      path,
    )
  }
})

test("static files are kept for ever, under names with their hash, and come compressed", async (t) => {
  const { get } = await start(t)
  const page = await (await get("/")).text()
  const paths = [...new Set(page.match(/\/static\/[^"]+/g))]
  assert.deepEqual(paths.map((path) => path.replace(/([./])[\w-]{12}\1/, "$1")).toSorted(), [
    "/static/attention.svg",
    "/static/ok.svg",
    "/static/page.js",
    "/static/style.css",
    "/static/trouble.svg",
  ])
  for (const path of paths) {
    const plain = await get(path, { headers: { "accept-encoding": "identity" } })
    assert.equal(plain.headers.get("cache-control"), "public, max-age=31536000, immutable")
    const text = await plain.text()
    for (const coding of ["gzip", "br"]) {
      const packed = await get(path, { headers: { "accept-encoding": coding } })
      assert.deepEqual([packed.headers.get("content-encoding"), await packed.text()], [coding, text])
    }
    const refused = await get(path, { headers: { "accept-encoding": "br;q=0, gzip;q=0" } })
    assert.equal(refused.headers.get("content-encoding"), null)
  }
})

test("a page that did not change is not sent again", async (t) => {
  const { source, get } = await start(t)
  const first = await get("/")
  const headers = { "if-none-match": first.headers.get("etag") ?? "" }
  assert.equal(first.headers.get("cache-control"), "no-cache")
  assert.equal((await get("/", { headers })).status, 304)
  source.change("bonn-2", { series: 1 })
  assert.equal((await get("/", { headers })).status, 200)
})

test("1,000 sites take less than 120 kB on the wire", async (t) => {
  const { get } = await start(t, 1000)
  const response = await get("/", { headers: { "accept-encoding": "gzip" } })
  assert.ok(Number(response.headers.get("content-length")) < 120_000)
  assert.equal((await response.text()).match(/<tr role="row" id="site-/g)?.length, 1000)
})

test("filters and sorts without a script", async (t) => {
  const { get } = await start(t, 30)
  const shown = async (query: string): Promise<readonly string[]> =>
    [...(await (await get(`/${query}`)).text()).matchAll(/<tr role="row" id="site-([^"]+)"([^>]*)>/g)]
      .filter(([, , attributes]) => !attributes?.includes(" hidden"))
      .map(([, name = ""]) => name)
  assert.deepEqual(await shown("?state=stale&sort=name"), ["marburg-13", "oldenburg-15"])
  assert.deepEqual(await shown("?reason=tls_expired"), ["aachen-1", "kiel-11"])
  assert.deepEqual(await shown("?q=certificate+expires"), ["tubingen-19"])
  assert.equal((await shown("")).length, 30)
  const none = await (await get("/?q=nowhere")).text()
  assert.match(none, /<p class="empty" id="none">\nNo site matches. <a href="\/" data-all>Show all 30<\/a><\/p>/)
  assert.match(await (await get("/?state=green")).text(), /id="none">\nstate must be any of down, .* No site matches\./)
})

test("the form of a site's page checks it and leads back", async (t) => {
  const { source, get } = await start(t)
  const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "" }
  const checked = await get("/sites/bonn-2/check", form)
  assert.deepEqual(
    [checked.status, checked.headers.get("location"), source.checks],
    [303, "/sites/bonn-2#checks", ["bonn-2"]],
  )
  source.nextCheck({ kind: "too_soon", retryAfter: 3 })
  const early = await get("/sites/bonn-2/check", form)
  assert.equal(early.headers.get("location"), "/sites/bonn-2?check=too_soon#checks")
  assert.match(await (await get("/sites/bonn-2?check=too_soon")).text(), /It was checked a moment ago\./)
  assert.equal((await get("/sites/bonn-2/check", { ...form, headers: { "sec-fetch-site": "cross-site" } })).status, 403)
  assert.equal((await get("/sites/nobody/check", form)).status, 404)
})

test("a site that is not listed has a page that says so", async (t) => {
  const { get } = await start(t)
  const response = await get("/sites/nobody")
  assert.equal(response.status, 404)
  assert.match(await response.text(), /<h1>No site is called “nobody”\.<\/h1>/)
})
