import type { Registry } from "prom-client"
import { ConfigurationError, type Fault } from "#core/errors.ts"
import { reloadOnChange, type Reloading, sharedGauge } from "#core/files/reload.ts"
import type { Logger } from "#core/log/logger.ts"
import { readWebConfig, type WebConfig } from "./config.ts"
import type { TlsConfig } from "./tls.ts"

export interface FollowOptions {
  readonly refuseBasicAuth?: string | undefined
  readonly log: Logger
  readonly registry?: Registry | undefined
  readonly beforeCertificate?: ((next: TlsConfig) => Promise<void>) | undefined
  /** The server's first address, for servers that share a registry. */
  readonly listener: string
}

/** Loads a web configuration with its certificates, and again when they change; each good one goes to `apply`. */
export function followWebConfig(
  file: string,
  options: FollowOptions,
  apply: (config: WebConfig) => void,
): Promise<Reloading<WebConfig>> {
  const { log, registry, listener } = options
  return reloadOnChange({
    config: "web",
    name: "web configuration",
    listener,
    async load(read, inForce) {
      const next = await readWebConfig(file, read, options.refuseBasicAuth)
      const faults = inForce === undefined ? [] : needRestart(inForce, next, file)
      if (faults.length > 0) throw new ConfigurationError(faults)
      if (next.tls !== undefined && inForce !== undefined && next.tls.context.cert !== inForce.tls?.context.cert)
        await options.beforeCertificate?.(next.tls)
      return next
    },
    apply(next) {
      apply(next)
      if (registry !== undefined) showCertificate(registry, listener, next)
      if (next.warnings.length > 0)
        log.warn({ warnings: next.warnings }, "web configuration sets what is not supported")
    },
    log,
    registry,
  })
}

/** What would open a server to clients that it refuses now, by a slip or a file that is cut short, among others. */
function needRestart(current: WebConfig, next: WebConfig, file: string): Fault[] {
  if ((current.tls === undefined) !== (next.tls === undefined)) {
    return [{ where: `${file} tls_server_config`, message: "TLS is turned on or off only by a restart" }]
  }
  if (current.users.size > 0 && next.users.size === 0) {
    const message = "the last user is removed only by a restart: without users every client is served"
    return [{ where: `${file} basic_auth_users`, message }]
  }
  if (current.tls?.clients.auth !== next.tls?.clients.auth) {
    return [{ where: `${file} tls_server_config.client_auth_type`, message: "changes only by a restart" }]
  }
  return []
}

function showCertificate(registry: Registry, listener: string, { tls }: WebConfig): void {
  if (tls === undefined) return
  const show = (name: string, help: string, time: Date): void =>
    sharedGauge(registry, { name, help, labelNames: ["listener"] }).set({ listener }, time.getTime() / 1000)
  show(
    "fedstack_web_certificate_not_before_timestamp_seconds",
    "When the certificate that new connections are shown became valid.",
    tls.validity.from,
  )
  show(
    "fedstack_web_certificate_not_after_timestamp_seconds",
    "When the certificate that new connections are shown expires.",
    tls.validity.to,
  )
}
