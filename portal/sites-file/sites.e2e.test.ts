import assert from "node:assert/strict"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { sha256 } from "#core/auth/secrets.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { scratch, startFederatedPortal } from "../federation/testing.ts"
import { fakeSites } from "../status/sites.testing.ts"

const ADA = "ada-4f1c2b7d9e0a6853-operator"

test("adds a site until it delivers, pauses it until nothing scrapes it, resumes and removes it", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const operators = join(await scratch(t), "operators.yaml")
  await writeFile(operators, `tokens: [{name: ada, sha256: ${sha256(ADA).toString("hex")}}]\n`)
  const { url, scrapes } = await fakeSites(t)
  const text = `# of the north\nsites:\n  - {name: a, url: "${url}/a", interval: 1s, labels: {location: a}, token: {file: token}} # first\n`
  const portal = await startFederatedPortal(t, prometheus, { token: "s3cret-token", "sites.yaml": text }, [
    `--web.admin-token-file=${operators}`,
  ])
  const send = async (method: string, path: string, body: object = {}): Promise<string> => {
    const headers = { authorization: `Bearer ${ADA}`, "content-type": "application/json" }
    const response = await fetch(`${portal.url}/api/v1/sites${path}`, { method, headers, body: JSON.stringify(body) })
    return `${response.status} ${(await response.text()).trim()}`
  }
  const shows = (states: string): Promise<unknown> =>
    until(states, async () => {
      const { sites } = (await (await fetch(`${portal.url}/api/v1/sites?sort=name`)).json()) as {
        readonly sites: readonly { readonly name: string; readonly state: string }[]
      }
      return sites.map(({ name, state }) => `${name} ${state}`).join() === states ? true : undefined
    })
  await shows("a ok")
  const b = { name: "b", url: `${url}/b`, interval: "1s", labels: { location: "b" }, token: { file: "token" } }
  assert.equal(await send("POST", "", b), '201 {"site":"b","action":"added","outcome":"confirmed","reason":null}')
  await shows("a ok,b ok")

  assert.match(await send("POST", "/b/pause", { why: "moves" }), /^200 .*"confirmed"/)
  await shows("a ok,b paused")
  const pools = (await (await fetch(`${portal.prometheus.url}/api/v1/scrape_pools`)).json()) as {
    readonly data: { readonly scrapePools: readonly string[] }
  }
  assert.deepEqual(pools.data.scrapePools, ["a"])
  const before = scrapes.get("b")?.length
  const seen = scrapes.get("a")?.length ?? 0
  await until("three more scrapes of a", () => ((scrapes.get("a")?.length ?? 0) >= seen + 3 ? true : undefined))
  assert.equal(scrapes.get("b")?.length, before)

  assert.match(await send("POST", "/b/resume"), /^200 .*"confirmed"/)
  await shows("a ok,b ok")
  assert.match(await send("DELETE", "/b"), /^200 .*"confirmed"/)
  await shows("a ok")
  assert.equal(await readFile(join(portal.folder, "sites.yaml"), "utf8"), text)
  portal.door.close()
  assert.match(await send("PATCH", "/a", { timeout: "900ms" }), /^422 .*must be at least 1s/)
  assert.match(await send("PATCH", "/a", { interval: "2s" }), /^202 .*"outcome":"pending"/)
})
