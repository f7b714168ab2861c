import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { connect, createServer } from "node:net"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { type Child, start } from "../testing/child.ts"
import { need } from "../testing/component.ts"
import { findPrometheus } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"
import { FIRST_PROXY_PORT } from "./ports.ts"

const UP = join(import.meta.dirname, "..", "up")
const MARK = "UP_TEST_MARK"

interface Up extends Child {
  /** Processes of this run, dev/up itself among them: all inherit a mark in their environment. */
  processes(): Promise<readonly { readonly pid: number; readonly args: string }[]>
}

/** Runs dev/up in a process group of its own, as a shell does; undefined where there is no Prometheus. */
function up(t: TestContext, ...args: readonly string[]): Up | undefined {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return undefined
  const mark = `${MARK}=${randomUUID()}`
  const child = start("setsid", [UP, ...args], { FEDSTACK_PROMETHEUS_DIR: folder, [MARK]: mark.slice(MARK.length + 1) })
  t.after(() => child.stop())
  return { ...child, processes: () => marked(mark) }
}

async function marked(mark: string): Promise<{ pid: number; args: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name))
  const read = (pid: string, name: string) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "") // ended meanwhile
  const all = await Promise.all(
    pids.map(async (pid) => {
      const environment = (await read(pid, "environ")).split("\0")
      return environment.includes(mark)
        ? [{ pid: Number(pid), args: (await read(pid, "cmdline")).replaceAll("\0", " ") }]
        : []
    }),
  )
  return all.flat()
}

async function running(child: Up): Promise<string> {
  const early = child.ended.then((how) => assert.fail(`dev/up ended (${how}): ${child.output()}`))
  const output = () => (child.output().includes("Logs are in ") ? child.output() : undefined)
  return Promise.race([early, until("dev/up to be up", output, 60)])
}

function send(pid: number | undefined, signal: NodeJS.Signals): void {
  assert.ok(pid !== undefined)
  process.kill(-pid, signal)
}

/** Nothing is left of a run: no process, no port, no folder. */
async function nothingLeft(child: Up): Promise<void> {
  await until("all processes to be gone", async () => ((await child.processes()).length === 0 ? true : undefined), 15)
  for (const [, port] of child.output().matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)) {
    // a killed process loses its memory, by which it is known here, before its sockets
    await until(`port ${port} to be free`, async () => ((await isListening(Number(port))) ? undefined : true), 15)
  }
  const folder = /Logs are in (\S+)/.exec(child.output())?.[1]
  if (folder !== undefined) await until(`${folder} to be removed`, () => (existsSync(folder) ? undefined : true), 15)
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1")
  try {
    await once(socket, "connect")
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

const tableOf = (output: string): string =>
  /^SITE(?:.+\n)+/m.exec(output)?.[0].replaceAll(/ +\d+\.\d s ago/g, "  N s ago") ?? ""

test("--check starts two sites and the portal, shows that both are federated and stops everything", async (t) => {
  const child = up(t, "--check")
  if (child === undefined) return
  assert.equal(await child.ended, 0, child.output())
  assert.match(child.output(), /^Every site is federated, \d+ s after the start\.$/m)
  assert.equal(tableOf(child.output()), expectedTable("site-a", "site-b"))
  await nothingLeft(child)
})

function expectedTable(...sites: readonly string[]): string {
  return `SITE    STATE     SERIES  LAST DELIVERY\n${sites.map((site) => `${site}  delivers       6  N s ago\n`).join("")}`
}

test("--sites starts further sites with invented clouds", async (t) => {
  const child = up(t, "--check", "--sites", "5")
  if (child === undefined) return
  assert.equal(await child.ended, 0, child.output())
  assert.equal(tableOf(child.output()), expectedTable("site-a", "site-b", "site-c", "site-d", "site-e"))
  await nothingLeft(child)
})

test("its first curl line succeeds, its second is refused, and its token stands in no command line", async (t) => {
  const child = up(t, "--sites", "1")
  if (child === undefined) return
  const output = await running(child)
  const [shared = "", everything = ""] = [...output.matchAll(/^ {2}(curl .*)$/gm)].map(([, line]) => line)
  assert.match(
    await shell(shared),
    /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n[^]*project_vcpu_usage\{[^]*project_mb_usage\{|^HTTP\/1\.1 200 OK\r\n[^]*project_mb_usage\{[^]*project_vcpu_usage\{/,
  )
  assert.match(await shell(everything), /^HTTP\/1\.1 403 Forbidden\r\n/)

  const token = /Bearer ([\w-]{32})'/.exec(output)?.[1] ?? assert.fail("no token")
  const commands = (await child.processes()).map(({ args }) => args)
  assert.equal(commands.length >= 6, true, "dev/up, the guard, three of the site, two of the portal")
  assert.deepEqual(
    commands.filter((args) => args.includes(token)),
    [],
  )
})

async function shell(command: string): Promise<string> {
  const child = start("sh", ["-c", `${command} --silent`])
  await child.ended
  return child.output()
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} to the process group leaves no process, port or folder`, async (t) => {
    const child = up(t, "--sites", "1")
    if (child === undefined) return
    await running(child)
    send(child.process.pid, signal)
    assert.equal(await child.ended, 0, child.output())
    await nothingLeft(child)
  })
}

test("SIGTERM while it starts stops what has started", async (t) => {
  const child = up(t)
  if (child === undefined) return
  await until("something to start", () => (child.output().includes("starting site-a exporter") ? true : undefined))
  send(child.process.pid, "SIGTERM")
  assert.equal(await child.ended, 143, child.output())
  await nothingLeft(child)
})

test("a second SIGINT does not wait", async (t) => {
  const child = up(t, "--sites", "1")
  if (child === undefined) return
  await running(child)
  for (const { pid, args } of await child.processes()) if (args.includes("proxy")) process.kill(pid, "SIGSTOP")
  send(child.process.pid, "SIGINT")
  await until("the end to begin", () => (child.output().includes("Stopping everything.") ? true : undefined))
  const before = performance.now()
  send(child.process.pid, "SIGINT")
  assert.equal(await child.ended, 130)
  assert.ok(performance.now() - before < 2000)
  await nothingLeft(child)
})

test("SIGKILL of dev/up leaves nothing after a moment", async (t) => {
  const child = up(t, "--sites", "1")
  if (child === undefined) return
  await running(child)
  child.process.kill("SIGKILL")
  assert.equal(await child.ended, "SIGKILL")
  await nothingLeft(child)
})

test("a process that dies is named with its log, and everything else is stopped", async (t) => {
  const child = up(t, "--sites", "1")
  if (child === undefined) return
  await running(child)
  const proxy = (await child.processes()).find(({ args }) => args.includes("cli.ts proxy"))
  process.kill(proxy?.pid ?? assert.fail("no proxy runs"), "SIGKILL")
  assert.equal(await child.ended, 1)
  assert.match(
    child.output(),
    /^dev\/up: site-a proxy ended by itself \(SIGKILL\)\. The last lines of its log:\n(?: {2}.*\n)* {2}.*msg=listening.*\n/m,
  )
  await nothingLeft(child)
})

test("uses another port where one is busy, and reports it", async (t) => {
  const busy = createServer().listen(FIRST_PROXY_PORT, "127.0.0.1")
  t.after(() => busy.close())
  // it is busy either way: another dev/up may hold it
  await once(busy, "listening").catch(() => undefined)
  const child = up(t, "--check", "--sites", "1")
  if (child === undefined) return
  assert.equal(await child.ended, 0, child.output())
  assert.match(
    child.output(),
    new RegExp(`^Port ${FIRST_PROXY_PORT} is in use; site-a proxy listens on \\d+ instead\\.$`, "m"),
  )
})

test("two run at the same time, and a third works after them", async (t) => {
  const children = [up(t, "--check", "--sites", "1"), up(t, "--check", "--sites", "1")]
  for (const child of children) if (child !== undefined) assert.equal(await child.ended, 0, child.output())
  const third = up(t, "--check", "--sites", "1")
  if (third !== undefined) assert.equal(await third.ended, 0, third.output())
})

test("a wrong argument ends it with 2 and one message", async () => {
  const child = start(UP, ["--sites", "none"])
  assert.equal(await child.ended, 2)
  assert.equal(child.output(), '--sites: must be a whole number from 1 to 1000 (is "none")\n')
})
