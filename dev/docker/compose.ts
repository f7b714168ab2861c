import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Found } from "../testing/component.ts"
import { start } from "../testing/child.ts"

/** The two programs that are to be supported. */
export const PROGRAMS = { "docker-compose 1.29": ["docker-compose"], "Compose v2": ["docker", "compose"] } as const
export type Program = keyof typeof PROGRAMS

/** Seconds that any one call may take; a first build fetches the packages. */
const DEADLINE = 300
/** What a developer has set for other uses. */
const FOREIGN = ["PORTAL_AUTH_TOKEN", "SITES_FOLDER", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"]

export interface Outcome {
  readonly code: number | string
  readonly output: string
}

/** Runs a program until it ends, but not for longer than the deadline. */
export async function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const unset = FOREIGN.filter((name) => !(name in env)).flatMap((name) => ["-u", name])
  const child = start("timeout", ["-k", "10", String(DEADLINE), "env", ...unset, ...command], env)
  return { code: await child.ended, output: child.output() }
}

/** Whether this machine has an engine that answers and this Compose. */
export async function findCompose(program: Program): Promise<Found<readonly string[]>> {
  const engine = await run(["docker", "version"])
  if (engine.code !== 0) return { missing: `no Docker engine answers: ${lastLine(engine.output)}` }
  const compose = await run([...PROGRAMS[program], "version"])
  return compose.code === 0 ? { value: PROGRAMS[program] } : { missing: `${PROGRAMS[program].join(" ")} does not run` }
}

export interface Project {
  /** One compose command; throws with its output where it fails. */
  compose(...args: readonly string[]): Promise<string>
  /** The same, for those that are to fail. */
  attempt(...args: readonly string[]): Promise<Outcome>
  /** What `docker inspect` says of every container, by service. */
  inspect(): Promise<ReadonlyMap<string, Container>>
  /** Removes containers, networks and volumes. */
  down(): Promise<void>
}

export interface ProjectOptions {
  readonly program: readonly string[]
  readonly folder: string
  readonly files: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

let projects = 0

/** A compose project of a name of its own. The folder's .env is not read, so that a developer's own does not count. */
export function project({ program, folder, files, env }: ProjectOptions): Project {
  const name = `fedstack-test-${process.pid}-${(projects += 1)}`
  const paths = files.flatMap((file) => ["-f", join(folder, file)])
  const attempt = (...args: readonly string[]): Promise<Outcome> =>
    run([...program, "--env-file", "/dev/null", "-p", name, ...paths, ...args], env)
  async function compose(...args: readonly string[]): Promise<string> {
    const { code, output } = await attempt(...args)
    if (code !== 0) throw new Error(`${program.join(" ")} ${args.join(" ")} ended with ${code}:\n${output}`)
    return output
  }
  return {
    attempt,
    compose,
    async inspect() {
      const label = `label=com.docker.compose.project=${name}`
      const ids = (await run(["docker", "ps", "-aq", "--filter", label])).output.split("\n").filter(Boolean)
      const containers = JSON.parse((await run(["docker", "inspect", ...ids])).output) as Container[]
      return new Map(containers.map((one) => [one.Config.Labels["com.docker.compose.service"] ?? "", one]))
    },
    down: async () => void (await compose("down", "-v", "--remove-orphans", "-t", "5")),
  }
}

/** The parts of `docker inspect` that tests look at. */
export interface Container {
  readonly Name: string
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> }
  readonly State: { readonly Status: string; readonly Health?: { readonly Status: string } }
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean
    readonly CapDrop: readonly string[]
    readonly SecurityOpt: readonly string[]
    readonly PidsLimit: number
    readonly Memory: number
    readonly NanoCpus: number
    readonly RestartPolicy: { readonly Name: string }
    readonly LogConfig: { readonly Config: Readonly<Record<string, string>> }
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string }[] | null>>
  }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> }
}

/** Ports that nobody uses now, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** An empty folder, and what removes it. */
export async function temporaryFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-compose-"))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? ""
