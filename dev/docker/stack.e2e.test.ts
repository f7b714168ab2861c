import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../testing/component.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { until } from "../testing/until.ts"
import { findCompose, newName, PROGRAMS, project } from "./compose.ts"
import { federate, seriesOf, SHARED } from "./federate.ts"
import { hardened, hardeningOf } from "./hardening.ts"
import { freePorts } from "../testing/free-port.ts"

const ROOT = join(import.meta.dirname, "..", "..")
const FILES = ["docker-compose.portal.yml", "dev/docker-compose.override.yml"]
const TOKEN = "only-for-development"

/** Run in a container with HOST:PORT as arguments: what becomes of a TCP connection to each, as JSON. */
const CONNECT = `
const connect = (target) => new Promise((end) => {
  const [host, port] = target.split(":")
  require("node:net").connect({ host, port, timeout: 2000 })
    .on("connect", () => end("connected")).on("timeout", () => end("timeout")).on("error", ({ code }) => end(code))
})
Promise.all(process.argv.slice(1).map(connect)).then((ends) => { console.log(JSON.stringify(ends)); process.exit() })`

for (const name of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]) {
  void test(`two sites and the portal with ${name}`, { timeout: 400_000 }, async (context) => {
    const program = need(context, await findCompose(name))
    if (program === undefined) return
    const [portalPort, prometheusPort, sitePort, otherPort] = await freePorts(4)
    const prometheus = `http://127.0.0.1:${prometheusPort}/prometheus`
    const portal = `http://127.0.0.1:${portalPort}`
    const proxy = `http://127.0.0.1:${sitePort}`
    const env = {
      PORTAL_PORT: String(portalPort),
      PORTAL_PROMETHEUS_PORT: String(prometheusPort),
      SITE_A_PORT: String(sitePort),
      SITE_B_PORT: String(otherPort),
    }
    const envFile = await temporaryFolder(context).write("empty.env", "")
    const stack = project({ name: newName(), program, folder: ROOT, files: FILES, env, envFile })
    context.after(() => stack.down())
    await stack.compose("up", "-d", "--build")

    await context.test("every container becomes healthy", () => stack.healthy())

    await context.test("the portal's Prometheus gets the series of both sites", async () => {
      const sites = await until(
        "series of both sites",
        async () => {
          const held = await sitesIn(prometheus)
          return held.length > 1 ? held : undefined
        },
        60,
      )
      assert.deepEqual(sites, ["site-a", "site-b"])
    })

    const bothDeliver = async () => ((await statesOf(portal)).join(", ") === "site-a ok, site-b ok" ? true : undefined)

    await context.test("the portal's page says that both sites deliver", async () => {
      await until("both to deliver", bothDeliver, 60)
      const page = await pageOf(portal)
      assert.match(page, /<title>Both sites deliver · fedstack</)
      const files = [...page.matchAll(/(?:src|href)="(\/static\/[^"]+\.(?:js|css|svg))"/g)].map(([, path = ""]) => path)
      const found = await Promise.all(files.map(async (path) => [path, (await fetch(portal + path)).status]))
      assert.deepEqual(
        found,
        files.map((path) => [path, 200]),
      )
      assert.equal(files.length, 3)
      assert.ok(page.includes('<a href="/prometheus/">Prometheus</a>'))
    })

    await context.test(
      "Prometheus is found from its port alone and through the portal, scrapes itself and the portal, and names its address in links",
      async () => {
        const root = await fetch(`http://127.0.0.1:${prometheusPort}/`, { redirect: "manual" })
        assert.deepEqual([root.status, root.headers.get("location")], [302, "/prometheus"])
        const ui = await fetch(`${prometheus}/`)
        assert.deepEqual([ui.status, new URL(ui.url).pathname], [200, "/prometheus/query"])
        const page = await ui.text()
        const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? ""
        assert.equal((await fetch(new URL(script, ui.url))).status, 200)
        await until("both to be scraped", async () =>
          (await jobsUp(prometheus)).join() === "portal,prometheus" ? true : undefined,
        )
        const { data } = (await (await fetch(`${prometheus}/api/v1/status/flags`)).json()) as {
          data: Record<string, string>
        }
        assert.equal(data["web.external-url"], "http://127.0.0.1:8090/prometheus/")
        assert.deepEqual(await sitesIn(`${portal}/prometheus`), ["site-a", "site-b"])
        const passed = await fetch(`${portal}/prometheus/`)
        assert.deepEqual([passed.status, new URL(passed.url).pathname], [200, "/prometheus/query"])
      },
    )

    await context.test("a site's proxy serves two spellings of the shared selector alike", async () => {
      const spelled = '{ __name__ =~ "project_.*_usage" , job="project_usages" }'
      const responses = [await federate(proxy, SHARED, TOKEN), await federate(proxy, spelled, TOKEN)]
      assert.deepEqual(
        responses.map(({ status }) => status),
        [200, 200],
      )
      const [first = [], second] = responses.map(({ body }) => seriesOf(body))
      assert.ok(first.length > 0)
      assert.deepEqual(first, second)
    })

    await context.test("a site's proxy refuses another selector, and everything without the token", async () => {
      const responses = [
        await federate(proxy, "up", TOKEN),
        await federate(proxy, SHARED),
        await federate(proxy, SHARED, `${TOKEN}x`),
      ]
      assert.deepEqual(
        responses.map(({ status }) => status),
        [403, 401, 401],
      )
    })

    await context.test("the portal reaches a site's proxy, and neither its Prometheus nor its exporter", async () => {
      const containers = await stack.inspect()
      const addressOf = (service: string): string =>
        Object.values(containers[service]?.NetworkSettings.Networks ?? {})[0]?.IPAddress ?? ""
      const targets = [
        "site-a-proxy:8000",
        "site-a-prometheus:9090",
        `${addressOf("site-a-prometheus")}:9090`,
        `${addressOf("site-a-exporter")}:8080`,
      ]
      const output = await stack.compose("exec", "-T", "portal", "node", "-e", CONNECT, ...targets)
      const ends: unknown = JSON.parse(/^\[.*\]$/m.exec(output)?.[0] ?? "null")
      assert.deepEqual(ends, ["connected", "ENOTFOUND", "timeout", "timeout"])
    })

    await context.test("no container has more rights than it needs", async () => {
      const containers = await stack.inspect()
      const held = Object.fromEntries(Object.entries(containers).map(([service, one]) => [service, hardeningOf(one)]))
      assert.deepEqual(held, {
        portal: hardened("1000:65534", "127.0.0.1 8090/tcp"),
        "portal-prometheus": hardened("nobody", "127.0.0.1 9090/tcp"),
        "site-a-exporter": hardened("node"),
        "site-a-prometheus": hardened("nobody"),
        "site-a-proxy": hardened("node", "127.0.0.1 8000/tcp"),
        "site-b-exporter": hardened("node"),
        "site-b-prometheus": hardened("nobody"),
        "site-b-proxy": hardened("node", "127.0.0.1 8000/tcp"),
      })
    })

    await context.test(
      "a site that gives no response is on the page with the reason, until it does again",
      async () => {
        await stack.compose("pause", "site-b-proxy")
        const isDown = async () =>
          (await statesOf(portal)).join(", ") === "site-a ok, site-b down no_answer" ? true : undefined
        try {
          await until("site-b not to deliver", isDown, 60)
          assert.match(await pageOf(portal), /<title>1 of 2 sites doesn&#39;t deliver · fedstack</)
        } finally {
          await stack.compose("unpause", "site-b-proxy")
        }
        await until("both to deliver again", bothDeliver, 60)
      },
    )

    await context.test(
      "a second up, with a build, changes no container: one service builds the image for all",
      async () => {
        const idsOf = async () =>
          Object.fromEntries(Object.entries(await stack.inspect()).map(([service, { Id }]) => [service, Id]))
        const before = await idsOf()
        await stack.compose("up", "-d", "--build")
        assert.deepEqual(await idsOf(), before)
      },
    )

    await context.test("no log holds the token", async () => {
      const logs = await stack.compose("logs", "--no-color")
      assert.match(logs, /site-a-proxy.* status=401/)
      assert.ok(!logs.includes(TOKEN), "the token stands in a log")
    })
  })
}

/** The names of all sites with state and cause, as the portal's page has them. */
async function statesOf(portal: string): Promise<readonly string[]> {
  const response = await fetch(`${portal}/api/v1/sites`, { signal: AbortSignal.timeout(5_000) })
  const { sites } = (await response.json()) as { sites: { name: string; state: string; cause: string | null }[] }
  return sites.map(({ name, state, cause }) => [name, state, cause ?? ""].join(" ").trimEnd()).toSorted()
}

async function pageOf(portal: string): Promise<string> {
  const response = await fetch(`${portal}/`, { signal: AbortSignal.timeout(5_000) })
  assert.equal(response.status, 200)
  return response.text()
}

const sitesIn = (prometheus: string): Promise<readonly string[]> =>
  labelsOf(prometheus, 'count by (site) ({__name__=~"project_.*_usage"})', "site")

const jobsUp = (prometheus: string): Promise<readonly string[]> => labelsOf(prometheus, 'up{site=""} == 1', "job")

/** The values of a label of the series that an expression gives, sorted. */
async function labelsOf(prometheus: string, expression: string, label: string): Promise<readonly string[]> {
  const query = new URLSearchParams({ query: expression })
  const response = await fetch(`${prometheus}/api/v1/query?${query.toString()}`, { signal: AbortSignal.timeout(5_000) })
  const body = (await response.json()) as { data: { result: { metric: Record<string, string> }[] } }
  return body.data.result.map(({ metric }) => metric[label] ?? "").toSorted()
}
