import assert from "node:assert/strict"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import type { TestContext } from "node:test"
import { text } from "node:stream/consumers"
import { createLogger } from "#core/log/logger.ts"
import { readSettings } from "#core/config/read-settings.ts"
import type { Values } from "#core/config/settings.ts"
import { openAgent } from "#core/http/agent.ts"
import { createOpaClient } from "./client.ts"
import { command, opaData } from "./main.ts"
import { createReader, type OpaReader, type ReaderOptions } from "./reader.ts"
import { READ_METHODS } from "./reading.ts"
import type { OpaTarget, OpaTargets, Service } from "./target.ts"
import { listen } from "../../../../dev/testing/listen.ts"

/** What flags and variables say. Throws UsageError. */
export function valuesOf(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Values<typeof command.settings> {
  const reading = readSettings({ command: "opa-data", summary: "", settings: command.settings }, argv, env)
  if (reading.kind === "help") throw new Error("help was requested")
  return reading.values
}

export interface FakeOpa {
  readonly port: number
  readonly requests: { method: string; url: string; headers: IncomingMessage["headers"]; body: string }[]
  readonly sockets: { opened: number; closed: number }
  /** Mutable: how it responds. */
  respond: (request: FakeOpa["requests"][number]) => FakeResponse | Promise<FakeResponse>
}

/** An OPA that responds as a test wants, for what a real one cannot be made to do; gone after the test. */
export async function fakeOpa(test: TestContext, respond: FakeOpa["respond"]): Promise<FakeOpa> {
  const listener: RequestListener = (message, response) => {
    void text(message).then(async (body) => {
      const request = { method: message.method ?? "", url: message.url ?? "", headers: message.headers, body }
      fake.requests.push(request)
      send(response, await fake.respond(request))
    })
  }
  const server = createServer(listener)
  const port = await listen(test, server)
  const sockets = { opened: 0, closed: 0 }
  server.on("connection", (socket) => {
    sockets.opened += 1
    socket.on("close", () => (sockets.closed += 1))
  })
  const fake: FakeOpa = { port, requests: [], sockets, respond }
  return fake
}

interface FakeResponse {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Sends what there is and no more; "close" breaks the connection off then, "drop" does at once. */
  readonly end?: "hang" | "close" | "drop"
}

function send(response: Parameters<RequestListener>[1], fake: FakeResponse): void {
  const { status = 200, headers = {}, body = "", end } = fake
  if (end === "drop") return void response.destroy()
  response.writeHead(status, { "content-type": "application/json", ...headers })
  if (end === undefined) response.end(body)
  else response.write(body === "" ? " " : body, () => end === "close" && response.destroy())
}

/** A response to the query for the given counts: undefined, or keys and members. */
export function queryResponse(
  pathCounts: readonly (null | undefined | { keys: number; members?: number; digest?: string })[],
): FakeResponse {
  const list = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value])
  const r = pathCounts.map((pathCount) =>
    pathCount === null
      ? null
      : pathCount === undefined
        ? []
        : [[[pathCount.keys], list(pathCount.members), list(pathCount.digest)]],
  )
  return { body: JSON.stringify({ metrics: { timer_server_handler_ns: 2_000_000 }, result: [{ r }] }) }
}

/** The paths of most tests, as flags, and the response of an OPA that holds something at both. */
export const PATHS = ["--opa-cluster-data", "kubernetes/namespaces", "--opa-namespaced-data", "kubernetes/services"]
export const HOLDS = queryResponse([
  { keys: 3, digest: "n1" },
  { keys: 2, members: 7, digest: "s1" },
])

export function targetOf(port: number, changes: Partial<OpaTarget> = {}): OpaTarget {
  return {
    pod: "opa-0",
    node: "node-a",
    namespace: "opa",
    service: "opa",
    address: "127.0.0.1",
    port,
    scheme: "http",
    path: "",
    ready: true,
    ...changes,
  }
}

export interface TestTargets extends OpaTargets {
  list: readonly OpaTarget[]
  trouble: string | undefined
  deserted: readonly Service[]
}

export function targetsOf(list: readonly OpaTarget[]): TestTargets {
  const targets: TestTargets = {
    list,
    trouble: undefined,
    deserted: [],
    current: () => targets.list,
    problem: () => targets.trouble,
    withoutPods: () => targets.deserted,
    first: Promise.resolve(),
    close: () => Promise.resolve(),
  }
  return targets
}

/** A reader without token and CA. */
export function testReader(
  test: TestContext,
  options: Pick<ReaderOptions, "paths"> & Partial<ReaderOptions>,
): Promise<OpaReader> {
  const agent = openAgent({ connectTimeout: 3600, keepAlive: 10, connections: 1 })
  test.after(() => agent.destroy())
  const reader = createReader({
    client: createOpaClient({ current: () => ({ agent, headers: {} }) }, "http"),
    methods: READ_METHODS,
    packageSegments: ["fedstack", "opa_data"],
    timeout: 60,
    documentLimit: 1e6,
    now: () => new Date(),
    identity: () => "the same",
    ...options,
  })
  return Promise.resolve(reader)
}

export interface TestExporter {
  readonly url: string
  /** Mutable: what the exporter takes for the present. */
  readonly clock: { now: Date }
  log(): string
  collect(): Promise<void>
  close(): Promise<void>
  /** The response to a scrape without the metrics of the process, and with 0 for what was measured. */
  scrape(): Promise<string>
  /** Lines of one family without the labels that all have. */
  series(name: string): Promise<readonly string[]>
}

/**
 * The exporter as the command line starts it, at noon of 2026-03-10, on a free port; gone after the test. Without targets
 * it finds them as its flags say.
 */
export async function startTestExporter(
  test: TestContext,
  targets: OpaTargets | undefined,
  argv: readonly string[],
): Promise<TestExporter> {
  const lines: string[] = []
  const clock = { now: new Date("2026-03-10T12:00:00Z") }
  const flags = ["--web.listen-address", "127.0.0.1:0", "--cluster-name", "cluster42", "--opa-service", "opa"]
  const exporter = targets === undefined ? opaData() : opaData(() => Promise.resolve(targets))
  const running = await exporter.run(valuesOf([...flags, ...argv]), {
    log: createLogger({ level: "info", format: "logfmt" }, "exporter", (line) => lines.push(line)),
    signal: new AbortController().signal,
    print: () => undefined,
    env: {},
    now: () => clock.now,
  })
  assert.ok(running)
  test.after(() => running.close())
  const url = `http://127.0.0.1:${running.addresses[0]?.port}`
  const scrape = async (): Promise<string> => withoutProcess(await (await fetch(`${url}/metrics`)).text())
  return {
    url,
    clock,
    log: () => lines.join(""),
    collect: () => running.reload(),
    close: () => running.close(),
    scrape,
    async series(name) {
      const found = (await scrape()).split("\n").filter((line) => line.startsWith(`${name}{`))
      return found.map((line) => line.replaceAll(/(?:cluster_name|opa_namespace|opa_service|node_name)="[^"]*",?/g, ""))
    },
  }
}

/** What differs from run to run becomes 0. */
export function withoutProcess(exposition: string): string {
  return exposition
    .split("\n")
    .filter((line) => line !== "" && !/^(?:# \w+ )?(?:process_|nodejs_|fedstack_build_info|fedstack_web_)/.test(line))
    .map((line) =>
      line.replace(
        /((?:_duration|_last_reload_success_timestamp)_seconds\{.*\}|_time_(?:bucket|sum)\{.*\}) .*/,
        "$1 0",
      ),
    )
    .map((line) => `${line}\n`)
    .join("")
}
