import { execFileSync, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { cp, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"
import { suite, test, type TestContext } from "node:test"
import { parse, stringify } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus, type RunningPrometheus, startPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { becomes, steady } from "../diagnosis/faulty-portal.testing.ts"
import { mountTiny, ready, scratch, startDoor, startPortal, type TestPortal } from "../federation/testing.ts"
import { sample } from "./sites.testing.ts"

/** Sites that nothing is wrong with. */
const NAMES = ["a", "b", "c", "dropped", "overdue", "targets"]
/** Series of the site `dropped`, a day ago. */
const DAY_AGO = 1904
const HEADER = /^#.*\n/

interface Row {
  readonly name: string
  readonly state: string
  readonly cause: string | null
  readonly reason: string | null
  readonly todo: string | null
}

/** Each connection is closed after a response, so that each scrape needs a file descriptor. */
async function startSites(t: TestContext): Promise<string> {
  const server = createServer((_, response) =>
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4", connection: "close" }).end(sample()),
  )
  return `127.0.0.1:${await listen(t, server)}`
}

/** As Prometheus would have stored it yesterday. */
async function backfill(t: TestContext, program: string, data: string, target: string): Promise<void> {
  const begin = Math.floor(Date.now() / 1000) - 86_400 - 600
  const labels = `site="dropped",job="dropped",instance="${target}",location="dropped"`
  const lines = (name: string, value: number): string =>
    `# TYPE ${name} gauge\n${Array.from({ length: 40 }, (_, minute) => `${name}{${labels}} ${value} ${begin + minute * 60}\n`).join("")}`
  // what writes blocks reserves more than the disk has
  const folder = await scratch(t)
  const [file, blocks] = [join(folder, "yesterday.txt"), join(folder, "blocks")]
  await writeFile(file, `${lines("scrape_samples_scraped", DAY_AGO)}${lines("up", 1)}# EOF\n`)
  execFileSync(join(program, "promtool"), ["tsdb", "create-blocks-from", "openmetrics", file, blocks])
  await cp(blocks, data, { recursive: true })
}

/** As an operator may do by hand: one job is scraped in ten years, another has two targets where one is allowed. */
async function edit(file: string, { url }: RunningPrometheus): Promise<void> {
  const text = await readFile(file, "utf8")
  const config = parse(text) as { scrape_configs: Record<string, unknown>[] }
  for (const job of config.scrape_configs) {
    if (job.job_name === "overdue") job.scrape_interval = "10y"
    if (job.job_name !== "targets") continue
    job.target_limit = 1
    const [first] = job.static_configs as { targets: string[]; labels: object }[]
    job.static_configs = [{ ...first, targets: [...(first?.targets ?? []), "127.0.0.1:1"] }]
  }
  await writeFile(file, `${HEADER.exec(text)?.[0]}${stringify(config)}`)
  await fetch(`${url}/-/reload`, { method: "POST" })
}

function limitFiles({ child }: RunningPrometheus, most: number): void {
  execFileSync("prlimit", [`--pid=${child.process.pid}`, `--nofile=${most}:`])
}

/** What the API shows of all sites, and of the portal. */
async function shown({ url, folder }: TestPortal): Promise<readonly string[]> {
  const { sites } = (await (await fetch(`${url}/api/v1/sites?sort=name`)).json()) as { sites: readonly Row[] }
  const { banners } = (await (await fetch(`${url}/api/v1/summary`)).json()) as {
    banners: readonly { readonly id: string; readonly message: string; readonly todo: string }[]
  }
  return [
    ...banners.flatMap(({ id, message, todo }) => [`banner ${id}`, `  ${message}`, `  ${todo}`]),
    ...sites.flatMap(({ name, state, cause, reason, todo }) => [
      `${name}: ${state}${cause === null ? "" : `, ${cause}`}`,
      ...[reason, todo].flatMap((text) => (text === null ? [] : [`  ${text}`])),
    ]),
  ].map((line) =>
    steady(line)
      .replaceAll(folder, "FOLDER")
      .replaceAll(/since \d\d:\d\d UTC/g, "since TIME"),
  )
}

/** Parts of testdata, by their headings. */
function golden(): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(join(import.meta.dirname, "testdata/portal-causes.txt"), "utf8")
  return new Map(
    text
      .trimEnd()
      .split("\n\n")
      .map((part) => {
        const [heading = "", ...lines] = part.split("\n")
        return [heading.replace("# ", ""), lines]
      }),
  )
}

// most of the time they wait
suite("of each version", { concurrency: true }, () => {
  for (const version of VERSIONS) {
    test(`the portal shows what is wrong with Prometheus ${version} as such`, async (t) => {
      const program = need(t, findPrometheus(version))
      if (program === undefined) return
      const disk = await mountTiny(t, "8m")
      if (disk === undefined) return
      const target = await startSites(t)
      await backfill(t, program, disk, target)
      const site = (name: string): string =>
        `  - {name: ${name}, url: "http://${target}", interval: 1s, labels: {location: ${name}}, token: {file: ${name}.token}}\n`
      const tokens = Object.fromEntries(NAMES.map((name) => [`${name}.token`, `s3cret-${name}`]))
      const door = await startDoor(t)
      const portal = await startPortal(t, { ...tokens, "sites.yaml": `sites:\n${NAMES.map(site).join("")}` }, door.url)
      await ready(portal)
      const file = join(portal.folder, "out/prometheus.yml")
      const prometheus = await startPrometheus(program, file, [], disk)
      t.after(() => prometheus.stop())
      door.leadTo(prometheus.url)
      const parts = golden()
      const become = (heading: string): Promise<void> => becomes(parts.get(heading) ?? [], () => shown(portal), 100)

      await become("a site lost series since yesterday")
      await edit(file, prometheus)
      await become("the configuration is edited")
      limitFiles(prometheus, 4)
      await become("Prometheus may open no more files")
      limitFiles(prometheus, 1024)
      await become("the configuration is edited")
      spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "filler")}`, "bs=512"])
      await become("the disk is full")
    })
  }
})
