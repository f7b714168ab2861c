import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { Agent, createServer, request, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import type { ReadText } from "#core/files/read-text.ts"
import { type Child, start } from "../../dev/testing/child.ts"
import { type RunningPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import type { Inputs } from "./sites.ts"

export const launcher = join(import.meta.dirname, "../../bin/fedstack")

/** Names of token files are always the same. */
export const testInputs = (env: Inputs["env"], read: ReadText): Inputs => ({ env, key: Buffer.alloc(32), read })

export async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-portal-"))
  // again where what writes there ends only after this: hooks run in the order in which they were registered
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }))
  return folder
}

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface TestSite {
  readonly url: string
  /** Tokens that its proxy accepts; changed by tests. */
  readonly tokens: Set<string>
}

/** A real Prometheus that scrapes `exposition` as job project_usages, behind a door that asks for a bearer token. */
export async function startSite(t: TestContext, prometheus: string, exposition: string): Promise<TestSite> {
  const folder = await scratch(t)
  const exporter = createServer((_, response) =>
    response.setHeader("content-type", "text/plain; version=0.0.4").end(exposition),
  )
  const target = new URL(await listen(t, exporter)).host
  const config = {
    scrape_configs: [
      {
        job_name: "project_usages",
        scrape_interval: "200ms",
        scrape_timeout: "200ms",
        static_configs: [{ targets: [target] }],
      },
    ],
  }
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config))
  const running = await startPrometheus(prometheus, join(folder, "prometheus.yml"))
  t.after(() => running.stop())
  return startTokenDoor(t, running.url)
}

/** Passes requests with the token on to a Prometheus, as the proxy of a site does. */
export async function startTokenDoor(t: TestContext, prometheusUrl: string): Promise<TestSite> {
  const tokens = new Set<string>()
  const door = createServer((incoming, response) => {
    const allowed = tokens.has((incoming.headers.authorization ?? "").replace(/^Bearer /, ""))
    if (!allowed) {
      response.writeHead(401).end()
      return
    }
    const onward = request(
      new URL(incoming.url ?? "", prometheusUrl),
      { headers: { accept: incoming.headers.accept ?? "*/*" } },
      (proxied) => {
        response.writeHead(proxied.statusCode ?? 500, { "content-type": proxied.headers["content-type"] ?? "" })
        proxied.pipe(response)
      },
    )
    onward.on("error", () => response.destroy()).end()
  })
  return { url: await listen(t, door), tokens }
}

export interface TestPortal {
  readonly folder: string
  readonly child: Child
  readonly url: string
  write(name: string, content: string): Promise<void>
  /** The value of a metric without labels. */
  metric(name: string): Promise<number | undefined>
}

/** `fedstack portal` with the files given, which reloads the Prometheus at `prometheusUrl`. */
export async function startPortal(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  prometheusUrl = "http://127.0.0.1:1",
  outputFolder?: string,
  flags: readonly string[] = [],
): Promise<TestPortal> {
  const folder = await scratch(t)
  const write = (name: string, content: string) => writeFile(join(folder, name), content)
  for (const [name, content] of Object.entries(files)) await write(name, content)
  const child = start(launcher, [
    "portal",
    `--sites.file=${join(folder, "sites.yaml")}`,
    ...(flags.some((flag) => flag.startsWith("--prometheus.shard="))
      ? []
      : [`--prometheus.config-dir=${outputFolder ?? join(folder, "out")}`, `--prometheus.url=${prometheusUrl}`]),
    ...("base.yml" in files ? [`--prometheus.base-config=${join(folder, "base.yml")}`] : []),
    "--web.listen-address=127.0.0.1:0",
    ...flags,
  ])
  t.after(() => child.stop())
  const port = await until("the portal to listen", () => {
    if (child.process.exitCode !== null) throw new Error(`the portal ended: ${child.output()}`)
    return /addresses=127\.0\.0\.1:(\d+)/.exec(child.output())?.[1]
  })
  const url = `http://127.0.0.1:${port}`
  return {
    folder,
    child,
    url,
    write,
    async metric(name) {
      const text = await (await fetch(`${url}/metrics`)).text()
      const value = new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]
      return value === undefined ? undefined : Number(value)
    },
  }
}

export const ready = (portal: TestPortal) =>
  until("the portal to be ready", async () => ((await fetch(`${portal.url}/-/ready`)).ok ? true : undefined))

/** Where the portal finds Prometheus, whose own port is known only when it runs. */
export interface Door {
  readonly url: string
  leadTo(prometheus: string): void
  /** As if no Prometheus were there, which is so at first. */
  close(): void
  /** As if Prometheus were reading its data. */
  starting(): void
  /** As if a reload never ended; the rest works. */
  hangOnReload(prometheus: string): void
}

export async function startDoor(t: TestContext): Promise<Door> {
  let target: URL | "none" | "starting" = "none"
  let hangs = false
  // one connection that stays: a Prometheus that may open no more files accepts no other
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const server = createServer((incoming, response) => {
    if (target === "none") {
      incoming.destroy()
      return
    }
    if (target === "starting") {
      response.writeHead(503).end("Service Unavailable")
      return
    }
    if (hangs && incoming.url === "/-/reload") return
    const onward = request(new URL(incoming.url ?? "", target), { agent, method: incoming.method ?? "" }, (proxied) => {
      proxied.pipe(response.writeHead(proxied.statusCode ?? 500))
    })
    onward.on("error", () => response.destroy()).end()
  })
  const url = await listen(t, server)
  return {
    url,
    leadTo(prometheus) {
      target = new URL(prometheus)
      hangs = false
    },
    close: () => (target = "none"),
    starting: () => (target = "starting"),
    hangOnReload(prometheus) {
      target = new URL(prometheus)
      hangs = true
    },
  }
}

/** Portal and its real Prometheus, which is started after the configuration stands, as in production. */
export async function startFederatedPortal(
  t: TestContext,
  prometheus: string,
  files: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
  /** Of Prometheus: its flags, and a folder of data that outlives it. */
  of: { readonly flags?: readonly string[]; readonly data?: string } = {},
): Promise<TestPortal & { readonly prometheus: RunningPrometheus; readonly door: Door }> {
  const door = await startDoor(t)
  const portal = await startPortal(t, files, door.url, undefined, flags)
  await ready(portal)
  const running = await startPrometheus(prometheus, join(portal.folder, "out/prometheus.yml"), of.flags, of.data)
  t.after(() => running.stop())
  door.leadTo(running.url)
  return { ...portal, prometheus: running, door }
}

/** A small file system of its own; undefined where this machine does not let us mount one. */
export async function mountTiny(t: TestContext, size = "64k"): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-disk-"))
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder])
  t.after(() => {
    spawnSync("umount", ["-l", folder])
    return rm(folder, { recursive: true })
  })
  if (mount.status !== 0) {
    t.skip("no tmpfs can be mounted here (needs root)")
    return undefined
  }
  return folder
}
