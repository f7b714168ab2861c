import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { suite, test } from "node:test"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { findPrometheus, startPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startDoor, startSite } from "../federation/testing.ts"

const ROOT = join(import.meta.dirname, "../..")

/** The command of the documentation with its flags, as a shell splits it. */
async function documented(command: string): Promise<readonly string[]> {
  const text = await readFile(join(ROOT, "docs/portal.md"), "utf8")
  const line = text
    .replaceAll("\\\n", " ")
    .split("\n")
    .find((one) => one.startsWith(`${command} --`))
  return (line ?? "").split(/\s+/).slice(1)
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(`the documented commands run a portal without Docker with Prometheus ${version}, and no alert fires on them`, async (t) => {
      const folder = need(t, findPrometheus(version))
      if (folder === undefined) return
      const site = await startSite(t, folder, 'project_vcpu_usage{project_name="a"} 5\n')
      site.tokens.add("token")
      const { path, write } = temporaryFolder(t)
      await write("token", "token")
      await write("sites.yaml", `sites: [{name: site-a, url: "${site.url}", interval: 1s, token: {file: token}}]\n`)
      const local = await readFile(join(import.meta.dirname, "local.yml"), "utf8")
      const base = (prometheus: string, portal: string) =>
        write(
          "local.yml",
          local
            .replaceAll(/_(interval|timeout): \d+s/g, "_$1: 1s")
            .replace("localhost:9090", new URL(prometheus).host)
            .replace("localhost:8090", new URL(portal).host)
            .replace("rules/*.yml", join(import.meta.dirname, "rules/*.yml")),
        )
      await base("http://localhost:9090", "http://localhost:8090")
      const door = await startDoor(t)
      const here = (word: string): string =>
        word
          .replace("portal/sites.yaml", join(path, "sites.yaml"))
          .replace("portal/prometheus/local.yml", join(path, "local.yml"))
          .replace("/var/lib/fedstack", join(path, "out"))
          .replace("http://localhost:9090", door.url)
      const args = (await documented("fedstack portal")).map(here)
      const portal = start(join(ROOT, "bin/fedstack"), [...args, "--web.listen-address=127.0.0.1:0"])
      t.after(() => portal.stop())
      const url = await until("the portal to listen", () => {
        const port = /msg=listening.*?127\.0\.0\.1:(\d+)/.exec(portal.output())?.[1]
        return port === undefined ? undefined : `http://127.0.0.1:${port}`
      })
      await until("it to be ready", async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined))

      const [, config = "", ...flags] = (await documented("prometheus")).map(here)
      assert.deepEqual(flags, ["--web.enable-lifecycle"]) // given by startPrometheus
      const prometheus = await startPrometheus(folder, config)
      t.after(() => prometheus.stop())
      door.leadTo(prometheus.url)
      await until("a reload", () => (portal.output().includes('"Prometheus reloaded"') ? true : undefined))
      await base(prometheus.url, url)

      for (const target of ['up{job="portal",site=""}', 'up{job="prometheus",site=""}', "site:delivers"]) {
        await until(target, async () => {
          const series = await prometheus.query(`${target} == 1`)
          return series.length === 1 ? true : undefined
        })
      }
      const pending = async () => (await prometheus.query('ALERTS{alertname=~"Portal.*|Prometheus.*|Site.*"}')).length
      await until("no alert to wait or fire", async () => ((await pending()) === 0 ? true : undefined))
      assert.match(portal.output(), new RegExp(`"Prometheus reloaded" url=\\S+ version=${version}\n`))
      const written = await readFile(config, "utf8")
      assert.equal(written.includes("track_timestamps_staleness: true"), version !== "2.42")
    })
  }
})
