import type { Container } from "./compose.ts"

/** How a container is held, for comparing all services of a project at once. */
export interface Hardening {
  readonly user: string
  readonly readOnly: boolean
  readonly capDrop: readonly string[]
  readonly securityOpt: readonly string[]
  /** Files and connections that it may have open, as the engine is requested to allow. */
  readonly openFiles: number | undefined
  readonly restart: string
  readonly log: Readonly<Record<string, string>>
  readonly limited: { readonly memory: boolean; readonly cpus: boolean; readonly pids: boolean }
  /** `ADDRESS CONTAINER-PORT` of what the host publishes. */
  readonly published: readonly string[]
}

export function hardeningOf({ Config, HostConfig }: Container): Hardening {
  return {
    user: Config.User,
    readOnly: HostConfig.ReadonlyRootfs,
    capDrop: HostConfig.CapDrop,
    securityOpt: HostConfig.SecurityOpt,
    openFiles: HostConfig.Ulimits?.find(({ Name }) => Name === "nofile")?.Hard,
    restart: HostConfig.RestartPolicy.Name,
    log: HostConfig.LogConfig.Config,
    limited: { memory: HostConfig.Memory > 0, cpus: HostConfig.NanoCpus > 0, pids: HostConfig.PidsLimit > 0 },
    published: Object.entries(HostConfig.PortBindings).flatMap(([port, bindings]) =>
      (bindings ?? []).map(({ HostIp }) => `${HostIp} ${port}`),
    ),
  }
}

/** What every service is to be held like. */
export function hardened(user: string, ...published: readonly string[]): Hardening {
  return {
    user,
    readOnly: true,
    capDrop: ["ALL"],
    securityOpt: ["no-new-privileges:true"],
    openFiles: 16_384,
    restart: "unless-stopped",
    log: { "max-file": "5", "max-size": "10m" },
    limited: { memory: true, cpus: true, pids: true },
    published,
  }
}
