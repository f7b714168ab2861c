import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { suite, test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, startPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import {
  mountTiny,
  ready,
  scratch,
  startDoor,
  startFederatedPortal,
  startPortal,
  type TestPortal,
} from "../federation/testing.ts"
import { fakeSites, sample } from "./sites.testing.ts"

interface Row {
  readonly name: string
  readonly state: string
  readonly cause: string | null
}

const rowsOf = async ({ url }: TestPortal): Promise<readonly string[]> => {
  const { sites } = (await (await fetch(`${url}/api/v1/sites?sort=name`)).json()) as { readonly sites: readonly Row[] }
  return sites.map(({ name, state, cause }) => `${name} ${state} ${cause}`)
}

/** Waits until the sites are so, and shows how they are if they do not become so. */
async function shows(portal: TestPortal, expected: readonly string[], seconds = 60): Promise<void> {
  let rows: readonly string[] = []
  await until(
    "the states",
    async () => {
      rows = await rowsOf(portal)
      return rows.join() === expected.join() ? true : undefined
    },
    seconds,
  ).catch(() => undefined)
  assert.deepEqual(rows, expected)
}

test("loses no scrape, and shows nothing that it does not know, whatever is restarted, broken and mended", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const { url, scrapes } = await fakeSites(t)
  const names = Array.from({ length: 50 }, (_, index) => `site-${String(index).padStart(2, "0")}`)
  const file = (listed: readonly string[]): string =>
    `sites:\n${listed.map((name) => `  - {name: ${name}, url: "${url}/${name}", interval: 1s, labels: {location: ${name}}, token: {file: token}}\n`).join("")}`
  const files = { token: "s3cret-token", "sites.yaml": file(names) }
  const data = await scratch(t)
  const portal = await startFederatedPortal(t, prometheus, files, [], { data })
  const all = (state: string): readonly string[] => names.map((name) => `${name} ${state} null`)
  await shows(portal, all("ok"))

  await portal.write("sites.yaml", EVERYTHING_WRONG)
  const places = await until("the banner with the lines", async () => {
    const page = await (await fetch(portal.url)).text()
    const found = [...page.matchAll(/sites\.yaml:\d+:\d+/g)].map(([place]) => place)
    return found.length > 1 ? found : undefined
  })
  assert.deepEqual(places, WRONG_PLACES)
  const { banners } = (await (await fetch(`${portal.url}/api/v1/summary`)).json()) as {
    readonly banners: readonly { readonly id: string; readonly message: string }[]
  }
  assert.deepEqual(
    banners.map(({ id, message }) => [id, [...message.matchAll(/sites\.yaml:\d+:\d+/g)].map(([place]) => place)]),
    [["sites_file_faulty", WRONG_PLACES]],
  )
  await shows(portal, all("ok"))
  await portal.write("sites.yaml", file(names))
  await until("no banner", async () =>
    (await (await fetch(portal.url)).text()).includes("sites_file_faulty") ? undefined : true,
  )
  await shows(portal, all("ok"))

  // the portal alone restarts: Prometheus goes on, and the page knows what was
  await portal.child.stop()
  const again = await startPortal(t, files, portal.door.url, join(portal.folder, "out"))
  await shows(again, all("ok"))
  const gaps = names.map((name) => longestGap(scrapes.get(name) ?? []))
  assert.deepEqual(
    gaps.filter((gap) => gap > 3000),
    [],
  )

  portal.door.starting()
  await shows(again, all("unknown"))
  portal.door.leadTo(portal.prometheus.url)
  await shows(again, all("ok"))

  // killed, and started again with its data
  portal.prometheus.child.process.kill("SIGKILL")
  await shows(again, all("unknown"))
  assert.doesNotMatch(await (await fetch(again.url)).text(), /<tr [^>]*data-state="ok"/)
  scrapes.clear()
  const revived = await startPrometheus(prometheus, join(portal.folder, "out/prometheus.yml"), [], data)
  t.after(() => revived.stop())
  portal.door.leadTo(revived.url)
  await shows(again, all("ok"))
  await until(
    "scrapes after the restart",
    () => names.every((name) => (scrapes.get(name)?.length ?? 0) > 3) || undefined,
  )
  assert.deepEqual(
    names.map((name) => longestGap(scrapes.get(name) ?? [])).filter((gap) => gap > 3000),
    [],
  )
})

test("goes on while the disk is full, logs that once, and remembers when there is room again", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const disk = await mountTiny(t)
  if (disk === undefined) return
  const { url } = await fakeSites(t)
  const out = join(disk, "out")
  const files = {
    token: "s3cret-token",
    "sites.yaml": `sites: [{name: a, url: "${url}/a", interval: 1s, token: {file: token}}]\n`,
  }
  const door = await startDoor(t)
  const portal = await startPortal(t, files, door.url, out)
  await ready(portal)
  const running = await startPrometheus(prometheus, join(out, "prometheus.yml"))
  t.after(() => running.stop())
  door.leadTo(running.url)
  await shows(portal, ["a ok null"])
  spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "filler")}`, "bs=4k"])
  const lost = /cannot note the sites' states: .* reason="ENOSPC/g
  await until("the log", () => (lost.test(portal.child.output()) ? true : undefined), 60)
  await shows(portal, ["a ok null"])
  await rm(join(disk, "filler"))
  assert.equal(await portal.child.stop(), 0)
  assert.equal(portal.child.output().match(lost)?.length, 1)
  const remembered = JSON.parse(await readFile(join(out, "status.json"), "utf8")) as {
    sites: Record<string, { state: string }>
  }
  assert.equal(remembered.sites.a?.state, "ok")
})

const longestGap = (times: readonly number[]): number =>
  Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)))

/** Faults of all kinds: each is reported at its place. */
const EVERYTHING_WRONG = `sites:
  - {nam: x, url: "ftp://x", interval: 0s}
  - {name: y, url: "https://y.example.org", interval: 30s, timeout: 1m, token: {file: missing}}
limit: {}
`
/** Those of the first five; the banner says how many more there are. */
const WRONG_PLACES = ["sites.yaml:2:5", "sites.yaml:2:5", "sites.yaml:2:6", "sites.yaml:2:14", "sites.yaml:2:30"]

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of ["2.53", "3.5"] as const) {
    test(`lives on the list of targets where Prometheus ${version} is an agent`, async (t) => {
      const prometheus = need(t, findPrometheus(version))
      if (prometheus === undefined) return
      const { url, responses } = await fakeSites(t)
      responses.set("refuses", 401)
      const site = (name: string): string =>
        `  - {name: ${name}, url: "${url}/${name}", interval: 1s, labels: {location: ${name}}, token: {file: token}}\n`
      const agent = [version === "2.53" ? "--enable-feature=agent" : "--agent"]
      const portal = await startFederatedPortal(
        t,
        prometheus,
        {
          token: "s3cret-token",
          "sites.yaml": `sites:\n${site("delivers")}${site("refuses")}`,
          "base.yml": `remote_write: [{url: "${url}/write"}]\n`,
        },
        [],
        { flags: agent },
      )
      await shows(portal, ["delivers ok null", "refuses down unauthorized"])
      responses.set("refuses", sample())
      responses.set("delivers", 500)
      await shows(portal, ["delivers down server_error", "refuses ok null"])
      await portal.prometheus.stop()
      await shows(portal, ["delivers unknown server_error", "refuses unknown null"])
    })
  }

  for (const version of VERSIONS) {
    test(`shows how each site is, with Prometheus ${version}`, async (t) => {
      const prometheus = need(t, findPrometheus(version))
      if (prometheus === undefined) return
      const { url, responses } = await fakeSites(t)
      responses.set("empty", "")
      responses.set("refuses", 401)
      const site = (name: string, about = "", to = `${url}/${name}`): string =>
        `  - {name: ${name}, url: "${to}", labels: {location: ${name}}, interval: 1s, token: {file: token}${about}}\n`
      const portal = await startFederatedPortal(t, prometheus, {
        token: "s3cret-token",
        "sites.yaml": `sites:\n${site("delivers")}${site("empty")}${site("refuses")}${site("gone", "", "http://127.0.0.1:1")}${site(
          "paused",
          ", paused: {why: it moves}",
        )}${site("old")}`,
      })
      // of samples that are too old Prometheus shows none
      const aging = setInterval(() => responses.set("old", sample(420)), 200)
      t.after(() => clearInterval(aging))
      await shows(portal, [
        "delivers ok null",
        "empty down silent_empty",
        "gone down refused",
        "old stale silent_stale",
        "paused paused null",
        "refuses down unauthorized",
      ])
      responses.set("refuses", sample())
      await shows(portal, [
        "delivers ok null",
        "empty down silent_empty",
        "gone down refused",
        "old stale silent_stale",
        "paused paused null",
        "refuses ok null",
      ])
      await portal.prometheus.stop()
      await shows(portal, [
        "delivers unknown null",
        "empty unknown silent_empty",
        "gone unknown refused",
        "old unknown silent_stale",
        "paused paused null",
        "refuses unknown null",
      ])
      const page = await (await fetch(portal.url)).text()
      assert.match(page, /cannot request Prometheus/)
      assert.doesNotMatch(page + portal.child.output(), /s3cret/)
    })
  }
})
