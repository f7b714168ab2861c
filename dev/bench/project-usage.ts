import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Pool, request } from "undici"
import { readNumbers } from "../testing/arguments.ts"
import { type Child, start } from "../testing/child.ts"
import { findOpenStack, type RunningOpenStack, startOpenStack } from "../testing/openstack.ts"
import { until } from "../testing/until.ts"

const { projects, servers, rounds, scrapes } = readNumbers(
  "dev/bench/project-usage",
  "measures how the project usage exporter reads a real Nova against the original's way, and its scrapes and memory.",
  {
    projects: { help: "projects in the real Nova (default 1000)", default: 1000, least: 1 },
    servers: { help: "servers in each (default 5)", default: 5, least: 1 },
    rounds: { help: "in turns (default 3)", default: 3, least: 1 },
    scrapes: { help: "of each kind, at 10000 projects (default 60)", default: 60, least: 3 },
  },
)
const START = "2025-01-01T00:00:00"
const LARGE = 10_000
const root = join(import.meta.dirname, "../..")
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

interface Cost {
  readonly requests: number
  readonly seconds: number
  readonly novaSeconds: number
}

/** `[vcpu hours, GiB hours]` by project. */
type Values = ReadonlyMap<string, readonly [number, number]>

/** The exporter as users start it; it updates on a signal. */
class Exporter {
  readonly child: Child
  #url = ""

  constructor(env: Readonly<Record<string, string>>) {
    this.child = start(
      join(root, "bin/fedstack"),
      [
        ...["exporter", "project-usage", "--domain", "--start", START, "--update-interval", "1h"],
        ...["--log.level", "debug", "--web.listen-address", "127.0.0.1:0"],
      ],
      env,
    )
  }

  async ready(): Promise<void> {
    const port = await until("the exporter", () => {
      if (this.child.process.exitCode !== null) throw new Error(this.child.output())
      return /127\.0\.0\.1:(\d+)/.exec(this.child.output())?.[1]
    })
    this.#url = `http://127.0.0.1:${port}/metrics`
    await until("the first update", () => (this.updates().length > 0 ? true : undefined))
  }

  /** Seconds of each update so far. */
  updates(): readonly number[] {
    return [...this.child.output().matchAll(/msg="collection ended".* seconds=([\d.]+)/g)].map(([, text]) =>
      Number(text),
    )
  }

  async update(): Promise<number> {
    const before = this.updates().length
    this.child.process.kill("SIGHUP")
    return until("the update", () => this.updates()[before])
  }

  async read(): Promise<string> {
    return (await request(this.#url)).body.text()
  }

  /** Milliseconds of a scrape as Prometheus asks, compressed. */
  async scrape(): Promise<number> {
    const begin = performance.now()
    const { body } = await request(this.#url, { headers: { "accept-encoding": "gzip" } })
    for await (const _ of body) continue
    return performance.now() - begin
  }

  async memory(): Promise<{ readonly now: number; readonly peak: number }> {
    const status = await readFile(`/proc/${this.child.process.pid}/status`, "utf8")
    const megabytes = (name: string): number =>
      Math.round((Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024) / 1e6)
    return { now: megabytes("VmRSS"), peak: megabytes("VmHWM") }
  }
}

const requestsIn = (text: string): number =>
  [...text.matchAll(/^fedstack_openstack_requests_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0)

function valuesIn(text: string): Values {
  const values = new Map<string, [number, number]>()
  for (const [, family, project = "", value] of text.matchAll(
    /^project_(vcpu|mb)_usage\{.*project_id="(\w+)".*\} (\S+)$/gm,
  )) {
    const pair = values.get(project) ?? [0, 0]
    pair[family === "vcpu" ? 0 : 1] = Number(value)
    values.set(project, pair)
  }
  return values
}

/** One request for the usage of each project, one after the other, then one for its servers' details. */
async function originalsWay(cloud: RunningOpenStack, end: string): Promise<{ values: Values; requests: number }> {
  const [keystone, nova] = [new Pool(new URL(cloud.authUrl).origin), new Pool(new URL(cloud.novaUrl).origin)]
  const { openrc } = cloud
  const body = JSON.stringify({
    auth: {
      identity: {
        methods: ["password"],
        password: { user: { name: openrc.OS_USERNAME, password: openrc.OS_PASSWORD, domain: { name: "Default" } } },
      },
      scope: { project: { name: openrc.OS_PROJECT_NAME, domain: { id: "default" } } },
    },
  })
  const signIn = await keystone.request({
    path: "/v3/auth/tokens",
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  })
  await signIn.body.dump()
  const headers = { "x-auth-token": String(signIn.headers["x-subject-token"]), "openstack-api-version": "compute 2.40" }
  let requests = 1
  const get = async (pool: Pool, path: string): Promise<unknown> => {
    requests += 1
    const response = await pool.request({ path, method: "GET", headers })
    if (response.statusCode !== 200) throw new Error(`${path} responded ${response.statusCode}`)
    return response.body.json()
  }
  const { projects: all } = (await get(keystone, "/v3/projects")) as { projects: { id: string }[] }
  const values = new Map<string, [number, number]>()
  const period = new URLSearchParams({ detailed: "1", start: START, end }).toString()
  for (const { id } of all) {
    const { tenant_usage: usage } = (await get(nova, `/v2.1/os-simple-tenant-usage/${id}?${period}`)) as {
      tenant_usage: { server_usages?: { hours: number; vcpus: number; memory_mb: number }[] }
    }
    const sum: [number, number] = [0, 0]
    for (const { hours, vcpus, memory_mb } of usage.server_usages ?? []) {
      if (hours <= 0) continue
      sum[0] += hours * vcpus
      sum[1] += hours * Math.trunc(memory_mb / 1024)
    }
    values.set(id, sum)
  }
  for (const { id } of all) await get(nova, `/v2.1/servers/detail?all_tenants=True&project_id=${id}`)
  await Promise.all([keystone.close(), nova.close()])
  return { values, requests }
}

function compare(ours: Values, theirs: Values): void {
  if (ours.size !== theirs.size) throw new Error(`${ours.size} and ${theirs.size} projects`)
  for (const [id, pair] of ours) {
    const other = theirs.get(id) ?? [Number.NaN, Number.NaN]
    for (const [index, value] of pair.entries())
      if (!(Math.abs(value - (other[index] ?? Number.NaN)) <= 1e-6 * value + 1e-6))
        throw new Error(`${id}: ${pair.join(" ")} and ${other.join(" ")}`)
  }
}

async function againstNova(script: string): Promise<void> {
  const cloud = await startOpenStack(script, { keep: "many" })
  const exporter = new Exporter(cloud.openrc)
  try {
    await cloud.seed("--projects", String(projects), "--servers-per-project", String(servers))
    await exporter.ready()
    await exporter.update()
    const costs: { ours: Cost; theirs: Cost }[] = []
    for (let round = 0; round < rounds; round += 1) {
      const [requestsBefore, cpuBefore] = [requestsIn(await exporter.read()), await cloud.cpu("nova-api")]
      const seconds = await exporter.update()
      const cpuBetween = await cloud.cpu("nova-api")
      const text = await exporter.read()
      const at = /^fedstack_exporter_collector_last_success_timestamp_seconds\{.*\} (\S+)$/m.exec(text)?.[1]
      const begin = performance.now()
      const original = await originalsWay(cloud, new Date(Number(at) * 1000).toISOString().replace("Z", ""))
      const theirs = (performance.now() - begin) / 1000
      compare(valuesIn(text), original.values)
      costs.push({
        ours: { requests: requestsIn(text) - requestsBefore, seconds, novaSeconds: cpuBetween - cpuBefore },
        theirs: {
          requests: original.requests,
          seconds: theirs,
          novaSeconds: (await cloud.cpu("nova-api")) - cpuBetween,
        },
      })
    }
    const of = (who: "ours" | "theirs", what: keyof Cost): number => median(costs.map((cost) => cost[who][what]))
    for (const who of ["theirs", "ours"] as const)
      say(
        `${who === "ours" ? "fedstack" : "original's way"}: ${of(who, "requests")} requests, ${of(who, "seconds").toFixed(2)} s, Nova's CPU ${of(who, "novaSeconds").toFixed(2)} s (medians of ${rounds})`,
      )
    const ratio = (what: keyof Cost): string => `1/${(of("theirs", what) / of("ours", what)).toFixed(0)}`
    say(`the same values of ${costs.length} times all projects`)
    say(
      `requests ${ratio("requests")} (promised 1/100), wall time ${ratio("seconds")} (1/20), Nova's CPU ${ratio("novaSeconds")} (1/10)`,
    )
  } finally {
    await exporter.child.stop()
    await cloud.close()
  }
}

async function againstLargeCloud(): Promise<void> {
  const fake = start(process.execPath, [join(import.meta.dirname, "project-usage-cloud.ts"), String(LARGE)])
  const port = await until("the large cloud", () => /port (\d+)/.exec(fake.output())?.[1])
  const exporter = new Exporter({
    OS_AUTH_URL: `http://127.0.0.1:${port}/v3`,
    OS_USERNAME: "a",
    OS_PASSWORD: "b",
    OS_USER_DOMAIN_ID: "default",
    OS_PROJECT_NAME: "admin",
    OS_PROJECT_DOMAIN_ID: "default",
  })
  try {
    await exporter.ready()
    const scrapeTimes = async (): Promise<number[]> => {
      const times: number[] = []
      for (let count = 0; count < scrapes; count += 1) times.push(await exporter.scrape())
      return times
    }
    await scrapeTimes()
    const idle = await scrapeTimes()
    const busy = { on: true }
    const updating = (async () => {
      while (busy.on) await exporter.update()
    })()
    const during = await scrapeTimes()
    busy.on = false
    await updating
    const { now, peak } = await exporter.memory()
    say(
      `${LARGE} projects, ${5 * LARGE} servers: scrape p50 ${median(idle).toFixed(1)} ms, while updates run ${median(during).toFixed(1)} ms (promised 20); update ${median(exporter.updates()).toFixed(1)} s; RSS ${now} MB, at most ${peak} MB (promised 150)`,
    )
  } finally {
    await Promise.all([exporter.child.stop(), fake.stop()])
  }
}

await againstLargeCloud()
const script = findOpenStack()
if ("value" in script) await againstNova(script.value)
else say(script.missing)
