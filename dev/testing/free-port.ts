import { randomInt } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Below those that systems give to outgoing connections and to who listens on port 0: 32768 and up, or 49152 and up. */
const [FIRST, END] = [20_000, 32_768]
const ATTEMPTS = 100

/** A file for each port that a running process was given, with its id: what a test stops and starts again finds it free. */
const CLAIMS = join(tmpdir(), `fedstack-test-ports-${process.getuid?.() ?? ""}`)
const claimed = new Set<string>()

/**
 * Ports of 127.0.0.1 that are free now, all different: for programs that cannot choose one themselves. Nobody else gets them
 * while this process runs.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = new Map<number, Server>()
  for (let attempt = 0; held.size < count; attempt += 1) {
    if (attempt > count + ATTEMPTS) throw new Error(`found no ${count} free ports in ${ATTEMPTS} more attempts`)
    const port = randomInt(FIRST, END)
    const server = createServer().listen(port, "127.0.0.1")
    try {
      await once(server, "listening")
      if (claim(port)) held.set(port, server)
      else server.close()
    } catch (error) {
      if (codeOf(error) !== "EADDRINUSE") throw error
    }
  }
  await Promise.all([...held.values()].map((server) => once(server.close(), "close")))
  return [...held.keys()]
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

function claim(port: number): boolean {
  const file = join(CLAIMS, String(port))
  try {
    mkdirSync(CLAIMS, { recursive: true })
    writeFileSync(file, String(process.pid), { flag: "wx" })
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error
    // of a process that was killed: another port will do, and this one is free for the next who asks
    if (isAbandoned(file)) rmSync(file, { force: true })
    return false
  }
  if (claimed.size === 0) process.once("exit", () => claimed.forEach((one) => rmSync(one, { force: true })))
  claimed.add(file)
  return true
}

function isAbandoned(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0)
    return false
  } catch (error) {
    return codeOf(error) === "ESRCH"
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code
