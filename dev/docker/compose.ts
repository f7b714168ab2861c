import { join } from "node:path"
import type { Found } from "../testing/component.ts"
import { start } from "../testing/child.ts"
import { until } from "../testing/until.ts"

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

/** Whether this machine has a running engine and this Compose. */
export async function findCompose(program: Program): Promise<Found<readonly string[]>> {
  const engine = await run(["docker", "version"])
  if (engine.code !== 0) return { missing: `no Docker engine responds: ${lastLine(engine.output)}` }
  const compose = await run([...PROGRAMS[program], "version"])
  return compose.code === 0 ? { value: PROGRAMS[program] } : { missing: `${PROGRAMS[program].join(" ")} does not run` }
}

export interface Project {
  /** One compose command; throws with its output where it fails. */
  compose(...args: readonly string[]): Promise<string>
  /** The same, for those that are to fail. */
  attempt(...args: readonly string[]): Promise<Outcome>
  /** What `docker inspect` shows of every container, by service. */
  inspect(): Promise<Readonly<Record<string, Container>>>
  /** Waits until every container's health check succeeds. */
  healthy(): Promise<void>
  /** Removes containers, networks and volumes. */
  down(): Promise<void>
}

export interface ProjectOptions {
  readonly name: string
  readonly program: readonly string[]
  readonly folder: string
  readonly files: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** In place of the folder's .env, which may be a developer's own. */
  readonly envFile: string
}

let projects = 0

/** For a project that nothing else on this machine has to do with. */
export function newName(): string {
  projects += 1
  return `fedstack-test-${process.pid}-${projects}`
}

/** A compose project; its files are relative to the folder. */
export function project({ name, program, folder, files, env = {}, envFile }: ProjectOptions): Project {
  const paths = files.flatMap((file) => ["-f", join(folder, file)])
  const attempt = (...args: readonly string[]): Promise<Outcome> =>
    run([...program, "--env-file", envFile, "-p", name, ...paths, ...args], env)
  async function compose(...args: readonly string[]): Promise<string> {
    const { code, output } = await attempt(...args)
    if (code !== 0) throw new Error(`${program.join(" ")} ${args.join(" ")} ended with ${code}:\n${output}`)
    return output
  }
  async function inspect(): Promise<Readonly<Record<string, Container>>> {
    const ids = await list(name, "ps", "-aq")
    const containers = JSON.parse((await run(["docker", "inspect", ...ids])).output) as Container[]
    return Object.fromEntries(containers.map((one) => [one.Config.Labels["com.docker.compose.service"] ?? "", one]))
  }
  return {
    attempt,
    compose,
    inspect,
    async healthy() {
      let states = ""
      const probe = async () => {
        const containers = Object.entries(await inspect())
        states = containers
          .map(([service, { State }]) => `${service} ${State.Health?.Status ?? State.Status}`)
          .join(", ")
        return containers.every(([, { State }]) => State.Health?.Status === "healthy") ? true : undefined
      }
      await until("healthy containers", probe, 90).catch((error: unknown) => {
        throw new Error(`not all containers became healthy: ${states}`, { cause: error })
      })
    },
    down: () => removeAll(name),
  }
}

/** Ids of a project's containers, networks or volumes. */
async function list(name: string, ...listing: readonly string[]): Promise<readonly string[]> {
  const { output } = await run(["docker", ...listing, "--filter", `label=com.docker.compose.project=${name}`])
  return output.split("\n").filter(Boolean)
}

/** By label rather than by `compose down`, so that it works whatever became of the files. */
async function removeAll(name: string): Promise<void> {
  for (const [listing, remove] of [
    [
      ["ps", "-aq"],
      ["rm", "-fv"],
    ],
    [
      ["network", "ls", "-q"],
      ["network", "rm"],
    ],
    [
      ["volume", "ls", "-q"],
      ["volume", "rm"],
    ],
  ] as const) {
    const found = await list(name, ...listing)
    if (found.length === 0) continue
    const { code, output } = await run(["docker", ...remove, ...found])
    if (code !== 0) throw new Error(`docker ${remove.join(" ")}: ${output}`)
  }
}

/** The parts of `docker inspect` that tests look at. */
export interface Container {
  readonly Id: string
  readonly Name: string
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> }
  readonly State: { readonly Status: string; readonly Health?: { readonly Status: string } }
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean
    readonly CapDrop: readonly string[]
    readonly SecurityOpt: readonly string[]
    readonly PidsLimit: number
    readonly Ulimits: readonly { readonly Name: string; readonly Hard: number }[] | null
    readonly Memory: number
    readonly NanoCpus: number
    readonly RestartPolicy: { readonly Name: string }
    readonly LogConfig: { readonly Config: Readonly<Record<string, string>> }
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string }[] | null>>
  }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? ""
