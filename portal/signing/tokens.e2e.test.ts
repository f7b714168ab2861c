import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startDoor, startPortal } from "../federation/testing.ts"
import { ISSUER, sitesYaml, startJwtProxy, startUsage } from "./testing.ts"

const FLAGS = [`--web.external-url=${ISSUER}`, "--token.lifetime=20s"]
/** The portal has keys from now on, which the sites' proxies fetch when they start. */
const PAUSED = "sites: [{name: none, url: 'http://127.0.0.1:1', jwt: {audience: none}, paused: true}]"
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length

describe("a minute of renewals", { concurrency: true }, () => {
  for (const [version, renames] of [
    ["2.53", false],
    ["3.5", true],
  ] as const) {
    test(`Prometheus ${version} federates two sites by tokens of 20 s for a minute and loses no scrape`, async (t) => {
      const prometheus = need(t, findPrometheus(version))
      if (prometheus === undefined) return
      const upstream = await startUsage(t, prometheus)
      const door = await startDoor(t)
      const portal = await startPortal(t, { "sites.yaml": PAUSED }, door.url, undefined, FLAGS)
      const jwks = `${portal.url}/.well-known/jwks.json`
      const names = ["site-a", "site-b"] as const
      await until("the keys to be published", async () => ((await fetch(jwks)).ok ? true : undefined))
      const proxies = await Promise.all(names.map((audience) => startJwtProxy(t, { upstream, audience, jwks })))
      const sites = names.map((name, index) => ({ name, audience: name, url: proxies[index]?.url ?? "" }))
      await portal.write("sites.yaml", sitesYaml(sites))
      await until("both sites to be written", async () => {
        const text = await readFile(join(portal.folder, "out/prometheus.yml"), "utf8")
        return names.every((name) => text.includes(`job_name: "${name}"`)) ? true : undefined
      })
      const running = await startPrometheus(prometheus, join(portal.folder, "out/prometheus.yml"))
      t.after(() => running.stop())
      door.leadTo(running.url)
      const scrapes = async () =>
        (await running.query('count_over_time(up{job=~"site-.*"}[10m])')).map(({ value }) => Number(value[1]))
      await until(
        "both sites to be scraped for a minute",
        async () => {
          const all = await scrapes()
          return all.length === 2 && all.every((one) => one >= 45) ? true : undefined
        },
        90,
      )
      const failed = await running.query('min_over_time(up{job=~"site-.*"}[10m]) == 0')
      assert.deepEqual(failed, [], portal.child.output())
      const reloads = count(portal.child.output(), /Prometheus reloaded/g)
      // one at first; then one every 10 s for both sites together, or none
      if (renames) assert.ok(reloads >= 4 && reloads <= 9, `${reloads} reloads`)
      else assert.equal(reloads, 1)
    })
  }
})
