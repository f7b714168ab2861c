import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { connect } from "node:net"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { type Child, start } from "../testing/child.ts"
import { need } from "../testing/component.ts"
import { findPrometheus } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"

export const UP = join(import.meta.dirname, "..", "up")
const MARK = "UP_TEST_MARK"

export interface Up extends Child {
  /** Processes of this run, dev/up itself among them: all inherit a mark in their environment. */
  processes(): Promise<readonly { readonly pid: number; readonly args: string }[]>
}

/** Runs dev/up in a process group of its own, as a shell does; undefined where there is no Prometheus. */
export function up(t: TestContext, ...args: readonly string[]): Up | undefined {
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

export async function running(child: Up): Promise<string> {
  const early = child.ended.then((how) => assert.fail(`dev/up ended (${how}): ${child.output()}`))
  const output = () => (child.output().includes("Logs are in ") ? child.output() : undefined)
  return Promise.race([early, until("dev/up to be up", output, 60)])
}

export function send(pid: number | undefined, signal: NodeJS.Signals): void {
  assert.ok(pid !== undefined)
  process.kill(-pid, signal)
}

/** Nothing is left of a run: no process, no port, no folder. */
export async function nothingLeft(child: Up): Promise<void> {
  await until("all processes to be gone", async () => ((await child.processes()).length === 0 ? true : undefined), 15)
  for (const [, port] of child.output().matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)) {
    // a killed process loses its memory, by which it is known here, before its sockets
    await until(`port ${port} to be free`, async () => ((await isListening(Number(port))) ? undefined : true), 15)
  }
  const folder = /Data is in (\S+)/.exec(child.output())?.[1]
  if (folder !== undefined) await until(`${folder} to be removed`, () => (existsSync(folder) ? undefined : true), 15)
}

export async function isListening(port: number): Promise<boolean> {
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
