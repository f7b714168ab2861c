import { execFile, spawn } from "node:child_process"
import { existsSync, readFileSync, readlinkSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Found } from "./component.ts"
import { freePorts } from "./free-port.ts"
import { until } from "./until.ts"

const run = promisify(execFile)

/** The program that starts a real Cortex: FEDSTACK_CORTEX. */
export function findCortex(): Found<string> {
  const cortex = process.env.FEDSTACK_CORTEX ?? ""
  return existsSync(cortex) ? { value: cortex } : { missing: "no Cortex: set FEDSTACK_CORTEX to a cortex script" }
}

/** What Cortex calls overrides, by tenant. */
export type Limits = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Limits of a tenant that may write all that there is. */
export const COMPLETE = { max_exemplars: 10_000, enable_native_histograms: true } as const

export interface CortexOptions {
  readonly limits?: Limits
  /** Of the program, beside those that the script gives it. */
  readonly flags?: readonly string[]
}

export interface RunningCortex {
  readonly url: string
  /** The binary that runs. */
  readonly binary: string
  readonly port: number
  /** `data` of a response to a tenant's request of the API of queries, such as `query_range`. */
  get(tenant: string, path: string, parameters: Readonly<Record<string, string>>): Promise<unknown>
  /** All limits anew, in force when it returns; a tenant's rate that it has had only after 10 s. */
  limits(limits: Limits): Promise<void>
  /** SIGTERM; what it has is kept. */
  stop(): Promise<void>
  /** SIGKILL; what it has acknowledged is kept. */
  kill(): Promise<void>
  start(): Promise<void>
  /** SIGSTOP: connections stand, and are even accepted, but nothing responds. */
  suspend(): void
  resume(): void
}

/** A test, or anything else with an `after` hook. */
interface Cleanup {
  after(close: () => Promise<void>): void
}

/** A Cortex with a state of its own, gone after the test. Exemplars and native histograms are off, but for tenants with {@link COMPLETE}. */
export async function startCortex(t: Cleanup, cortex: string, options: CortexOptions = {}): Promise<RunningCortex> {
  const { limits = {}, flags = [] } = options
  const state = await mkdtemp(join(tmpdir(), "fedstack-cortex-"))
  let env: NodeJS.ProcessEnv = {}
  let port = 0
  const call = (...args: readonly string[]): Promise<unknown> => run(cortex, args, { env })
  const signal = (name: NodeJS.Signals): void => {
    const pid = running(state)
    if (pid !== undefined) process.kill(pid, name)
  }
  const kill = (): void => signal("SIGKILL")
  const ended = (): Promise<unknown> => until("Cortex to end", () => running(state) === undefined)
  const start = async (): Promise<void> => {
    await call("up")
    if (flags.length > 0) await restartWith(state, flags, call)
  }
  // also when a signal ends the test process before the test is over
  process.once("exit", kill)
  t.after(async () => {
    process.off("exit", kill)
    kill()
    await ended()
    await rm(state, { recursive: true, force: true })
  })
  await writeFile(join(state, "limits.yaml"), overrides(limits))
  for (let left = 2; ; left -= 1) {
    const [http = 0, grpc = 0] = await freePorts(2)
    port = http
    env = { ...process.env, CORTEX_STATE: state, CORTEX_PORT: String(http), CORTEX_GRPC_PORT: String(grpc) }
    try {
      await start()
      break
    } catch (error) {
      // another process was faster, and has one of the ports
      if (left === 0) throw error
    }
  }
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    binary: binaryOf(state),
    async get(tenant, path, parameters) {
      const query = new URLSearchParams(parameters).toString()
      const response = await fetch(`${url}/prometheus/api/v1/${path}?${query}`, {
        headers: { "x-scope-orgid": tenant },
        signal: AbortSignal.timeout(10_000),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${path} of ${tenant}: Cortex responded ${response.status} ${text}`)
      return (JSON.parse(text) as { data: unknown }).data
    },
    async limits(changed) {
      const file = join(state, "changed.yaml")
      await writeFile(file, overrides(changed))
      await call("limits", file)
    },
    stop: async () => void (await call("down")),
    async kill() {
      kill()
      await ended()
    },
    start,
    suspend: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
  }
}

const overrides = (limits: Limits): string => JSON.stringify({ overrides: limits })

/** Of the Cortex of this state, where it runs. */
function running(state: string): number | undefined {
  try {
    const pid = readFileSync(join(state, "pid"), "utf8").trim()
    const isOurs = readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`-config.file=${state}/`)
    return isOurs ? Number(pid) : undefined
  } catch {
    return undefined
  }
}

const binaryOf = (state: string): string => readlinkSync(`/proc/${running(state)}/exe`)

/** The script has no other flags, so the program is started again as the script does it, and the script waits for it. */
async function restartWith(
  state: string,
  flags: readonly string[],
  call: (command: string) => Promise<unknown>,
): Promise<void> {
  const program = binaryOf(state)
  await call("down")
  const child = spawn(program, [`-config.file=${state}/cortex.yaml`, ...flags], { stdio: "ignore", detached: true })
  child.unref()
  await writeFile(join(state, "pid"), String(child.pid))
  await call("up")
}
