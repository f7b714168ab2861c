import { execFile, execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { promisify } from "node:util"
import type { Found } from "./component.ts"
import { until } from "./until.ts"
import { freePorts } from "./free-port.ts"

const run = promisify(execFile)

/** The script that starts a real Keystone and Nova: FEDSTACK_OPENSTACK. */
export function findOpenStack(): Found<string> {
  const script = process.env.FEDSTACK_OPENSTACK ?? ""
  return existsSync(script)
    ? { value: script }
    : { missing: "no Keystone and Nova: set FEDSTACK_OPENSTACK to a script that starts them" }
}

export interface OpenStackOptions {
  /** Seconds that a token lives. */
  readonly tokenSeconds?: number
  /** Servers on Nova's largest page. */
  readonly maxLimit?: number
  /** Databases of this name stay for the next run, which then starts in seconds; seeds add to them. */
  readonly keep: string
  /** The text of policy.yaml of a service. */
  readonly policies?: Readonly<Partial<Record<"keystone" | "nova", string>>>
}

export type Service = "keystone" | "nova-api"

/** What was written into the databases, by the ids of projects and servers. */
export interface Seed {
  readonly domains: Readonly<Record<string, string>>
  readonly projects: Readonly<Record<string, SeededProject>>
  readonly servers: Readonly<Record<string, SeededServer>>
}

export interface SeededProject {
  readonly id: string
  readonly name: string
  readonly domain_id: string
  readonly domain_name: string
}

/** Dates are UTC without a zone. */
export interface SeededServer {
  readonly id: string
  readonly project_id: string
  readonly vcpus: number
  readonly memory_mb: number
  readonly launched_at: string | null
  readonly terminated_at: string | null
  readonly metadata: Readonly<Record<string, string>>
}

export interface RunningOpenStack {
  readonly authUrl: string
  readonly novaUrl: string
  /** The admin's OS_* variables. */
  readonly openrc: Readonly<Record<string, string>>
  /** Adds projects and servers that are not there yet. All that is there now. */
  seed(...flags: readonly string[]): Promise<Seed>
  stop(service: Service): Promise<void>
  /** Starts what does not run. */
  start(): Promise<void>
  /** Seconds of CPU that a service's processes have used. */
  cpu(service: Service): Promise<number>
  close(): Promise<void>
}

/** Starts a Keystone and a Nova on ports of their own. */
export async function startOpenStack(script: string, options: OpenStackOptions): Promise<RunningOpenStack> {
  const { tokenSeconds = 3600, maxLimit = 1000, keep, policies = {} } = options
  const { state, release } = await claimState(keep)
  const [keystone, nova, neutron] = await freePorts(3)
  const env = {
    OPENSTACK_ROOT: join(tmpdir(), "openstack-state/root"), // the script's own default, so that packages are fetched once
    ...process.env,
    PYTHONUSERBASE: await withThreadsOwnLocks(join(state, "python")),
    OPENSTACK_STATE: state,
    OPENSTACK_KEYSTONE_PORT: String(keystone),
    OPENSTACK_NOVA_PORT: String(nova),
    OPENSTACK_NEUTRON_PORT: String(neutron),
    OPENSTACK_TOKEN_SECONDS: String(tokenSeconds),
    OPENSTACK_MAX_LIMIT: String(maxLimit),
  }
  const call = async (...args: readonly string[]): Promise<string> => (await run(script, args, { env })).stdout
  // also when a signal ends the test process before the test is over
  const orphans = (): void => void execFileSync(script, ["down"], { env, stdio: "ignore" })
  process.once("exit", orphans)
  await call("down")
  for (const [service, policy] of Object.entries(policies)) {
    await mkdir(join(state, service), { recursive: true })
    await writeFile(join(state, service, "policy.yaml"), policy)
  }
  const openrc = variablesOf(await call("up"))

  const pidOf = async (service: Service): Promise<number> =>
    Number(await readFile(join(state, "run", `${service}.pid`), "utf8"))
  return {
    authUrl: `http://127.0.0.1:${keystone}/v3`,
    novaUrl: `http://127.0.0.1:${nova}/v2.1`,
    openrc,
    async seed(...flags) {
      await call("seed", ...flags)
      return JSON.parse(await readFile(join(state, "seed.json"), "utf8")) as Seed
    },
    async stop(service) {
      const group = await pidOf(service)
      process.kill(-group, "SIGKILL")
      await until(`${service} to end`, async () => ((await processesOf(group)).length === 0 ? true : undefined))
    },
    start: async () => void (await call("up")),
    cpu: async (service) =>
      (await processesOf(await pidOf(service))).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    async close() {
      await call("down")
      process.off("exit", orphans)
      await release()
    },
  }
}

/**
 * Where Python finds a start-up file that keeps Keystone's log on locks of threads. oslo.log takes those of eventlet
 * instead, once eventlet is imported, with which the threads of a worker can wait for each other for ever.
 */
async function withThreadsOwnLocks(folder: string): Promise<string> {
  const env = { ...process.env, PYTHONUSERBASE: folder }
  const where = "import site; print(site.getusersitepackages())"
  const packages = (await run("/usr/bin/python3", ["-c", where], { env })).stdout.trim()
  await mkdir(packages, { recursive: true })
  const lines = [
    "import sys",
    'if "keystone" in sys.orig_argv:',
    "    import oslo_log.log",
    "    oslo_log.log._fix_eventlet_logging = lambda: None",
  ]
  await writeFile(join(packages, "usercustomize.py"), lines.map((line) => `${line}\n`).join(""))
  return folder
}

/** FEDSTACK_OPENSTACK_DATABASES: a folder that outlives the checkout. */
const KEPT = process.env.FEDSTACK_OPENSTACK_DATABASES ?? join(import.meta.dirname, "../../.cache/openstack")

/** The kept databases of a name; others, for once, while a living process has them. */
async function claimState(name: string): Promise<{ readonly state: string; readonly release: () => Promise<void> }> {
  const state = join(KEPT, name)
  const owner = join(state, "owner")
  await mkdir(state, { recursive: true })
  const pid = await readFile(owner, "utf8").catch(() => "")
  if (pid !== "" && existsSync(`/proc/${pid}`)) {
    const other = await mkdtemp(join(tmpdir(), "fedstack-openstack-"))
    return { state: other, release: () => rm(other, { recursive: true, force: true }) }
  }
  await writeFile(owner, String(process.pid))
  nameCells(state)
  return { state, release: () => rm(owner) }
}

/** Nova keeps the whole paths of its databases: they change where the folder was moved, or is reached through another link. */
function nameCells(state: string): void {
  if (!existsSync(join(state, "nova/.created"))) return
  const database = new DatabaseSync(join(state, "nova/api.sqlite"))
  try {
    const update = database.prepare("UPDATE cell_mappings SET database_connection = ? WHERE name = ?")
    for (const cell of ["cell0", "cell1"]) update.run(`sqlite:///${join(state, "nova", cell)}.sqlite`, cell)
  } finally {
    database.close()
  }
}

function variablesOf(openrc: string): Readonly<Record<string, string>> {
  const lines = openrc.split("\n").filter((line) => line !== "")
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]))
}

const TICKS_PER_SECOND = 100

/** The living processes of a group, with what they and their ended children used (proc(5), stat). */
async function processesOf(group: number): Promise<readonly { readonly cpuSeconds: number }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")))
  return stats.flatMap((stat) => {
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    if (Number(fields[2]) !== group || fields[0] === "Z") return []
    return [{ cpuSeconds: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND }]
  })
}
