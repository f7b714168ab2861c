import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { start } from "../testing/child.ts"
import { until } from "../testing/until.ts"

const FEDSTACK = fileURLToPath(new URL("../../bin/fedstack", import.meta.url))
const LOCAL = "127.0.0.1:0"

/** A `fedstack proxy`, or another that listens like it, in a process of its own, as its users start it. */
export interface ProxyProcess {
  readonly port: number
  /** Bytes of physical memory. */
  memory(): Promise<number>
  /** All that it wrote. Throws where it had ended before. */
  stop(): Promise<string>
}

export async function startProxyProcess(
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
  command = "proxy",
): Promise<ProxyProcess> {
  const listen = ["--web.listen-address", LOCAL, "--admin.listen-address", LOCAL]
  const child = start(FEDSTACK, [command, ...listen, ...flags], env)
  const port = await until("the proxy to listen", () => {
    if (child.process.exitCode !== null) return "ended"
    const lines = child.output().split("\n")
    // the first is that of the admin's port
    return /127\.0\.0\.1:(\d+)/.exec(lines.filter((line) => line.includes("listening"))[1] ?? "")?.[1]
  })
  if (port === "ended") throw new Error(child.output())
  return {
    port: Number(port),
    async memory() {
      const status = await readFile(`/proc/${child.process.pid}/status`, "utf8")
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
    },
    async stop() {
      const early = child.process.exitCode
      await child.stop()
      if (early !== null) throw new Error(`the proxy had ended with ${early}: ${child.output().slice(-2000)}`)
      return child.output()
    },
  }
}
