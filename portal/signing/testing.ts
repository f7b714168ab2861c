import { createServer } from "node:http"
import type { TestContext } from "node:test"
import { type Child, start } from "../../dev/testing/child.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { listen } from "../../dev/testing/listen.ts"
import { startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { launcher } from "../federation/testing.ts"

export const ISSUER = "https://portal.example.org/fedstack"

/** A site's Prometheus, which has usage; the same for several proxies. */
export async function startUsage(t: TestContext, prometheus: string): Promise<string> {
  const folder = temporaryFolder(t)
  const exporter = createServer((_, response) =>
    response.setHeader("content-type", "text/plain; version=0.0.4").end("project_vcpu_usage 5\n"),
  )
  const target = `127.0.0.1:${await listen(t, exporter)}`
  const job = { job_name: "project_usages", scrape_interval: "200ms", scrape_timeout: "200ms" }
  const config = { scrape_configs: [{ ...job, static_configs: [{ targets: [target] }] }] }
  const running = await startPrometheus(prometheus, await folder.write("prometheus.yml", JSON.stringify(config)))
  t.after(() => running.stop())
  return running.url
}

/** A site that knows the portal by its published keys alone, and accepts no token for a second after its end. */
export async function startJwtProxy(
  t: TestContext,
  about: { readonly upstream: string; readonly audience: string; readonly jwks: string },
): Promise<{ readonly url: string; readonly child: Child }> {
  const policy = {
    upstreams: [about.upstream],
    reuse: "0s",
    jwt: [
      {
        name: "portal",
        issuer: ISSUER,
        audience: about.audience,
        jwks: { url: about.jwks },
        clock_tolerance: "0s",
        match: ['{job="project_usages"}'],
      },
    ],
  }
  const file = await temporaryFolder(t).write("policy.yaml", JSON.stringify(policy))
  const addresses = ["--web.listen-address=127.0.0.1:0", "--admin.listen-address=127.0.0.1:0"]
  const child = start(launcher, ["proxy", `--policy=${file}`, ...addresses])
  t.after(() => child.stop())
  const port = await until("the proxy to listen", () => {
    if (child.process.exitCode !== null) throw new Error(`the proxy ended: ${child.output()}`)
    const [, own] = [...child.output().matchAll(/addresses=127\.0\.0\.1:(\d+)/g)] // after that of its metrics
    return own?.[1]
  })
  return { url: `http://127.0.0.1:${port}`, child }
}

export const sitesYaml = (
  sites: readonly { readonly name: string; readonly url: string; readonly audience: string }[],
) =>
  JSON.stringify({
    sites: sites.map(({ name, url, audience }) => ({ name, url, interval: "1s", jwt: { audience } })),
  })
