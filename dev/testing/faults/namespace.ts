import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { Found } from "../component.ts"
import { startNameServer } from "./name-server.ts"

const INSIDE = "FEDSTACK_TEST_NAMESPACE"
const SCRIPT = join(import.meta.dirname, "namespace.sh")

/**
 * For the first line of a test file: runs the file again in a network of its own (namespace.sh), with its name server, and
 * does not return there where it did. Where that is not possible, the file runs as it is, and gets the reason.
 */
export async function enterNamespace(file: string): Promise<Found<"inside">> {
  if (process.env[INSIDE] === "1") {
    await startNameServer()
    return { value: "inside" }
  }
  const attempt = spawnSync("unshare", ["-n", "-m", SCRIPT, "true"], { encoding: "utf8", timeout: 10_000 })
  if (attempt.status !== 0) {
    const reason = attempt.error?.message ?? attempt.stderr.trim()
    return { missing: `a network namespace cannot be made here, which root can: ${reason}` }
  }
  const args = ["-n", "-m", SCRIPT, process.execPath, ...process.execArgv, file]
  const child = spawn("unshare", args, { stdio: "inherit", env: { ...process.env, [INSIDE]: "1" } })
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, forward)
  process.once("exit", () => child.kill("SIGKILL"))
  const [code] = (await once(child, "close")) as [number | null]
  return process.exit(code ?? 1)
}
