import assert from "node:assert/strict"
import { cp, readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../testing/component.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { until } from "../testing/until.ts"
import { findCompose, newName, PROGRAMS, project, run } from "./compose.ts"
import { federate, SHARED } from "./federate.ts"
import { hardened, hardeningOf } from "./hardening.ts"
import { freePorts } from "../testing/free-port.ts"

const ROOT = join(import.meta.dirname, "..", "..")
const FILES = ["docker-compose.site.yml", "dev/docker/site-dummy.yml"]
const TOKEN = "token-of-the-environment"
const FILE_TOKEN = "token-of-a-file"
const GRAFANA = "grafana/grafana:12.1.0"

for (const name of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]) {
  void test(`what a site misses is named by ${name}`, async (context) => {
    const program = need(context, await findCompose(name))
    if (program === undefined) return
    const { path: folder, write } = temporaryFolder(context)
    await copyCheckout(folder)
    const options = { name: newName(), program, folder, files: FILES }

    await context.test("no usage-openrc", async () => {
      const site = project({ ...options, envFile: await write("with.env", `PORTAL_AUTH_TOKEN=${TOKEN}\n`) })
      const { code, output } = await site.attempt("config", "-q")
      assert.notEqual(code, 0)
      assert.ok(output.includes(join(folder, "usage-openrc")), output)
    })

    await context.test("no PORTAL_AUTH_TOKEN", async () => {
      const site = project({ ...options, envFile: await write("without.env", "") })
      const { code, output } = await site.attempt("config", "-q")
      assert.notEqual(code, 0)
      assert.match(output, /set PORTAL_AUTH_TOKEN in \.env beside the compose file or in the environment/)
    })
  })
}

// the whole stack runs with both programs in stack.e2e.test.ts
void test("a site with docker-compose 1.29", { timeout: 400_000 }, async (context) => {
  const program = need(context, await findCompose("docker-compose 1.29"))
  if (program === undefined) return
  const built = await run(["docker", "build", "-q", "-t", "fedstack", ROOT])
  assert.equal(built.code, 0, built.output)
  const { path: folder, write } = temporaryFolder(context)
  await copyCheckout(folder)
  await cp(join(ROOT, "usage-openrc.example"), join(folder, "usage-openrc"))
  const envFile = await write(".env", `PORTAL_AUTH_TOKEN=${TOKEN}\nUSAGE_EXPORTER_PROJECT_DOMAINS=operations\n`)
  const [port] = await freePorts(1)
  const proxy = `http://127.0.0.1:${port}`
  const options = { name: newName(), program, folder, files: FILES, env: { PROXY_PORT: String(port) }, envFile }
  const site = project(options)
  context.after(() => site.down())
  await site.compose("up", "-d", "--no-build")

  await context.test("every container becomes healthy", () => site.healthy())

  await context.test("the proxy gives the usage of the domains that .env names", async () => {
    const body = await until(
      "series",
      async () => {
        const response = await federate(proxy, SHARED, TOKEN)
        return response.status === 200 && response.body !== "" ? response.body : undefined
      },
      60,
    )
    assert.deepEqual(
      [...new Set(Array.from(body.matchAll(/domain_name="(.*?)"/g), ([, domain]) => domain))],
      ["operations"],
    )
  })

  await context.test("the exporter keeps its state in its volume", async () => {
    const state = JSON.parse(
      await site.compose("exec", "-T", "exporter", "cat", "/var/lib/fedstack/project-usage.json"),
    )
    assert.equal((state as { version: number }).version, 2)
  })

  await context.test("no container has more rights than it needs, and only the proxy's port is published", async () => {
    const containers = await site.inspect()
    const held = Object.fromEntries(Object.entries(containers).map(([service, one]) => [service, hardeningOf(one)]))
    assert.deepEqual(held, {
      exporter: hardened("node"),
      prometheus: hardened("nobody"),
      proxy: hardened("node", "0.0.0.0 8000/tcp"),
    })
  })

  await context.test(
    "the site's admin sees its Prometheus, alerts and dashboards on this host alone",
    async (inner) => {
      const image = await run(["docker", "image", "inspect", GRAFANA])
      if (need(inner, image.code === 0 ? { value: GRAFANA } : { missing: `no image ${GRAFANA}` }) === undefined) return
      const [prometheusPort, grafanaPort] = await freePorts(2)
      const env = {
        ...options.env,
        SITE_PROMETHEUS_PORT: String(prometheusPort),
        SITE_GRAFANA_PORT: String(grafanaPort),
      }
      const withAdmin = project({ ...options, env, files: [...FILES, "site/docker-compose.admin.yml"] })
      await withAdmin.compose("up", "-d", "--no-build")
      await withAdmin.healthy()
      const rules = await fetch(`http://127.0.0.1:${prometheusPort}/api/v1/rules?type=alert`)
      const { data } = (await rules.json()) as { data: { groups: { name: string }[] } }
      assert.ok(data.groups.length > 0)
      const grafana = await fetch(`http://127.0.0.1:${grafanaPort}/api/health`)
      assert.equal(grafana.status, 200)
      const files = await withAdmin.compose("exec", "-T", "grafana", "ls", "/etc/grafana/dashboards")
      assert.match(files, /^site\.json\r?$/m)
      const containers = await withAdmin.inspect()
      const held = Object.fromEntries(Object.entries(containers).map(([service, one]) => [service, hardeningOf(one)]))
      assert.deepEqual(held, {
        exporter: hardened("node"),
        grafana: hardened("472", "127.0.0.1 3000/tcp"),
        prometheus: hardened("nobody", "127.0.0.1 9090/tcp"),
        proxy: hardened("node", "0.0.0.0 8000/tcp"),
      })
      await site.compose("up", "-d", "--no-build", "--remove-orphans")
    },
  )

  await context.test("the proxy reads the token from a secret file, as docs/docker.md shows", async () => {
    await write("docker-compose.token.yml", await exampleWith("portal_auth_token"))
    await write("portal-token", `${FILE_TOKEN}\n`)
    await write(".env", "PORTAL_AUTH_TOKEN=\n")
    const withFile = project({ ...options, files: [...FILES, "docker-compose.token.yml"] })
    await withFile.compose("up", "-d", "--no-build")
    await withFile.healthy()
    const responses = [await federate(proxy, SHARED, TOKEN), await federate(proxy, SHARED, FILE_TOKEN)]
    assert.deepEqual(
      responses.map(({ status }) => status),
      [401, 200],
    )
    assert.ok(!JSON.stringify(await withFile.inspect()).includes(FILE_TOKEN), "the token shows in docker inspect")
  })

  await context.test("no log holds a token", async () => {
    const logs = await site.compose("logs", "--no-color")
    assert.match(logs, /proxy.* status=200/)
    assert.ok(!logs.includes(TOKEN) && !logs.includes(FILE_TOKEN), "a token stands in a log")
  })
})

/** The part of a checkout that a site needs once the image is built. */
async function copyCheckout(folder: string): Promise<void> {
  for (const part of [...FILES, "site/docker-compose.admin.yml", "site/grafana", "site/prometheus", "dev/fixtures"]) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true })
  }
}

/** The block of YAML in docs/docker.md that holds this word. */
async function exampleWith(word: string): Promise<string> {
  const page = await readFile(join(ROOT, "docs/docker.md"), "utf8")
  const blocks = Array.from(page.matchAll(/^```yaml\n(.*?)^```/gms), ([, block = ""]) => block)
  const found = blocks.find((block) => block.includes(word))
  assert.ok(found, `docs/docker.md has no example with ${word}`)
  return found
}
