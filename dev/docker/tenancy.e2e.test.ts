import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { copyFile, readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../testing/component.ts"
import { findCortex, startCortex } from "../testing/cortex.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { freePorts } from "../testing/free-port.ts"
import { bodyOf, HEADERS, write } from "../testing/remote-write/write.ts"
import { until } from "../testing/until.ts"
import { findCompose, newName, project, run } from "./compose.ts"
import { hardened, hardeningOf } from "./hardening.ts"

const ROOT = join(import.meta.dirname, "..", "..")
const FILES = ["docker-compose.portal.yml", "dev/docker-compose.override.yml"]
const TOKEN = "token-of-a-site-that-pushes"
/** Of dev/docker/portal/tenants.yaml, by tenant. */
const TENANTS = { "site-a": "only-for-development", "site-b": "only-for-development-of-site-b" } as const

/** Run in a container with URL and tenant as arguments. */
const QUERY = `
fetch(process.argv[1], { headers: { "x-scope-orgid": process.argv[2] }, signal: AbortSignal.timeout(5000) })
  .then((response) => response.text()).then(console.log)`

void test(
  "sites, one that pushes, and a tenant for each in Cortex, which it scrapes, with docker-compose 1.29",
  {
    timeout: 500_000,
  },
  async (context) => {
    const program = need(context, await findCompose("docker-compose 1.29"))
    const cortex = need(context, findCortex())
    if (program === undefined || cortex === undefined) return
    const { path, write: writeFile } = temporaryFolder(context)
    const image = newName()
    const built = await run(["docker", "build", "-q", "-t", image, await contextOf(path, cortex)])
    assert.equal(built.code, 0, built.output)
    context.after(() => run(["docker", "rmi", image]))

    const sha256 = createHash("sha256").update(TOKEN).digest("hex")
    const sites = await readFile(join(ROOT, "dev/docker/portal/sites.yaml"), "utf8")
    const pushing = `  - {name: site-c, labels: {location: city-c}, match: ["up{job='x'}"], push: {token: {sha256: ${sha256}}}}\n`
    await writeFile("sites/sites.yaml", sites + pushing)
    const mounted = { volumes: [`${path}/sites:/etc/fedstack/sites:ro`] }
    const override = await writeFile("sites.yml", JSON.stringify({ services: { portal: mounted, push: mounted } }))
    const [portalPort, prometheusPort, siteA, siteB, pushPort, expositionPort] = await freePorts(6)
    const env = {
      COMPOSE_PROFILES: "tenancy",
      PROMETHEUS_BASE_CONFIG: "tenancy.yml",
      CORTEX_IMAGE: image,
      PORTAL_PORT: String(portalPort),
      PORTAL_PROMETHEUS_PORT: String(prometheusPort),
      SITE_A_PORT: String(siteA),
      SITE_B_PORT: String(siteB),
      PUSH_PORT: String(pushPort),
      EXPOSITION_PORT: String(expositionPort),
    }
    const envFile = await writeFile("empty.env", "")
    const files = [...FILES.map((file) => join(ROOT, file)), override]
    const stack = project({ name: newName(), program, folder: "/", files, env, envFile })
    context.after(() => stack.down())
    await stack.compose("up", "-d", "--build")

    await context.test("every container becomes healthy", () => stack.healthy())

    const valuesIn = async (url: string, tenant: string, expression: string, label: string) => {
      const address = `${url}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`
      const output = await stack.compose("exec", "-T", "portal", "node", "-e", QUERY, address, tenant)
      const { data } = JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? "{}") as {
        data?: { result: readonly { metric: Readonly<Record<string, string>> }[] }
      }
      return data?.result.map(({ metric }) => metric[label] ?? "").toSorted()
    }
    const inCortex = (tenant: string, expression: string, label: string) =>
      valuesIn("http://cortex:9009/prometheus", tenant, expression, label)
    const inPrometheus = (expression: string, label: string) =>
      valuesIn("http://portal-prometheus:9090/prometheus", "", expression, label)

    await context.test("each site's usage is in its own tenant, and all of it in the tenant 0", async () => {
      const usage = 'count by (site) ({__name__=~"project_.*_usage"})'
      await until(
        "all tenants to have their part",
        async () => {
          assert.deepEqual(await inCortex("site-a", usage, "site"), ["site-a"])
          assert.deepEqual(await inCortex("site-b", usage, "site"), ["site-b"])
          assert.deepEqual(await inCortex("0", usage, "site"), ["site-a", "site-b"])
          return true
        },
        90,
      ) // sites are scraped every 30 s
      assert.deepEqual(await inCortex("site-a", 'count by (job) ({job=~".+",site=""})', "job"), [])
    })

    await context.test("what a site pushes is in Prometheus with its labels, and in its tenant", async () => {
      const push = (labels: Readonly<Record<string, string>>, token: string) =>
        write(`http://127.0.0.1:${pushPort}/api/v1/write`, bodyOf([{ labels, value: 1, timestamp: Date.now() }]), {
          ...HEADERS[1],
          authorization: `Bearer ${token}`,
        })
      const shared = { __name__: "up", job: "x", site: "site-a" }
      assert.equal((await push(shared, "wrong")).status, 401)
      assert.equal((await push({ ...shared, job: "secret" }, TOKEN)).status, 400)
      assert.equal((await push(shared, TOKEN)).status, 204)
      const found = 'up{job=~"x|secret"}'
      await until("it to be in both", async () => {
        assert.deepEqual(await inPrometheus(found, "site"), ["site-c"])
        assert.deepEqual(await inPrometheus(found, "exported_site"), ["site-a"])
        assert.deepEqual(await inPrometheus(found, "location"), ["city-c"])
        assert.deepEqual(await inCortex("site-c", found, "site"), ["site-c"])
        return true
      })
      assert.deepEqual(await inCortex("site-a", found, "site"), [])
    })

    await context.test(
      "each tenant scrapes its own slice by its token, and without one nothing is served",
      async () => {
        const scrape = async (headers: Readonly<Record<string, string>>) => {
          const url = `http://127.0.0.1:${expositionPort}/metrics`
          const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) })
          return { status: response.status, text: await response.text() }
        }
        for (const headers of [{}, { authorization: "Bearer wrong" }, { "x-scope-orgid": "site-a" }])
          assert.equal((await scrape(headers)).status, 401)
        for (const [tenant, token] of Object.entries(TENANTS)) {
          const lines = await until(`${tenant} to have its slice`, async () => {
            // what a client sends of a tenant is not looked at
            const headers = { authorization: `Bearer ${token}`, "x-scope-orgid": "0" }
            const { status, text } = await scrape(headers)
            assert.equal(status, 200, text)
            const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
            return samples.length > 0 ? samples : undefined
          })
          const parts = lines.map((line) => [
            /^project_\w+_usage(?=\{)/.test(line),
            /[{,]site="([^"]*)"/.exec(line)?.[1],
          ])
          assert.deepEqual(
            parts,
            lines.map(() => [true, tenant]),
          )
        }
      },
    )

    await context.test("Prometheus scrapes both proxies, the exposition and Cortex", async () => {
      await until("all to be scraped", async () => {
        const jobs = await inPrometheus('up{site=""} == 1', "instance")
        const proxies = ["push:19092", "tenancy-exposition:19095", "tenancy-proxy:19092"]
        assert.deepEqual(jobs, ["cortex:9009", "localhost:9090", "portal:8090", ...proxies])
        return true
      })
    })

    await context.test("no added container has more rights than it needs", async () => {
      const containers = await stack.inspect()
      const held = ["push", "tenancy-proxy", "tenancy-exposition", "cortex"].map((name) => {
        const container = containers[name]
        return [name, container === undefined ? undefined : hardeningOf(container)]
      })
      assert.deepEqual(Object.fromEntries(held), {
        push: hardened("1000:65534", "127.0.0.1 19093/tcp"),
        "tenancy-proxy": hardened("node"),
        "tenancy-exposition": hardened("1000:65534", "127.0.0.1 19094/tcp"),
        cortex: hardened("0:0"),
      })
    })

    await context.test("no log holds a token of a site or tenant", async () => {
      const logs = await stack.compose("logs", "--no-color")
      for (const token of [TOKEN, ...Object.values(TENANTS)])
        assert.ok(!logs.includes(token), "a token stands in a log")
    })

    async function contextOf(folder: string, script: string): Promise<string> {
      const { binary } = await startCortex(context, script)
      await writeFile("cortex/Dockerfile", STAND_IN)
      await copyFile(binary, join(folder, "cortex/cortex"))
      return join(folder, "cortex")
    }
  },
)

/** The real Cortex, for machines that cannot pull its image, with what its health check uses. */
const STAND_IN = `FROM prom/prometheus:v3.5.5
COPY cortex /bin/cortex
USER root
ENTRYPOINT ["/bin/cortex"]
CMD []
`
