import { isDeepStrictEqual } from "node:util"
import { Gauge, type Registry } from "prom-client"
import type { Closable } from "#core/closable.ts"
import { ConfigurationError, explain, type Fault, FaultyFiles } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { watchFiles } from "#core/files/watch.ts"
import { readWebConfig, type WebConfig, type WebConfigOptions } from "#core/http/web/config.ts"

export interface FollowOptions extends WebConfigOptions {
  readonly log: Logger
  readonly registry?: Registry | undefined
  /** The server's first address, for servers that share a registry. */
  readonly listener: string
}

export interface Following extends Closable {
  reload(): Promise<void>
}

/**
 * Reads the web configuration and its certificates again when they change, and hands each good one to `apply`.
 * A bad one is logged and shows in fedstack_web_config_last_reload_successful; what was in force stays.
 */
export async function followWebConfig(
  file: string,
  first: WebConfig,
  options: FollowOptions,
  apply: (config: WebConfig) => void,
): Promise<Following> {
  const { log, listener } = options
  const successful = options.registry && gaugeOf(options.registry, SUCCESSFUL)
  const accept = (config: WebConfig): void => {
    current = config
    successful?.set({ listener }, 1)
    if (options.registry !== undefined) showCertificate(options.registry, listener, config)
  }
  let current = first
  let filesReadLast: readonly string[] = []
  accept(first)
  const reloadNow = async (): Promise<void> => {
    try {
      const next = await readWebConfig(file, options)
      filesReadLast = next.files
      const faults = needRestart(current, next, file)
      if (faults.length > 0) throw new ConfigurationError(faults)
      apply(next)
      accept(next)
      log.info({ file }, "web configuration read again")
      tellWarnings(next, log)
    } catch (error) {
      if (error instanceof FaultyFiles) filesReadLast = error.files
      successful?.set({ listener }, 0)
      const faults = error instanceof ConfigurationError ? error.faults : [{ where: file, message: explain(error) }]
      log.error(
        { faults: faults.map(({ where, message }) => `${where}: ${message}`) },
        "web configuration has faults; the one before stays in force",
      )
    }
  }
  // one after the other, so that an older reading never replaces a newer one
  let last: Promise<void> = Promise.resolve()
  const reload = (): Promise<void> => (last = last.then(reloadNow))
  const watching = await watchFiles(() => [...new Set([...current.files, ...filesReadLast])], reload)
  const unchanged = await readWebConfig(file, options).then(
    (now) => isDeepStrictEqual(now, first),
    () => false,
  )
  if (!unchanged) await reload()
  return { reload, close: () => watching.close() }
}

export function tellWarnings({ warnings }: WebConfig, log: Logger): void {
  if (warnings.length > 0) log.warn({ warnings }, "web configuration asks for what is not done")
}

function needRestart(current: WebConfig, next: WebConfig, file: string): Fault[] {
  if ((current.tls === undefined) !== (next.tls === undefined)) {
    return [{ where: `${file} tls_server_config`, message: "TLS is turned on or off only by a restart" }]
  }
  if (current.tls?.clients.auth !== next.tls?.clients.auth) {
    return [{ where: `${file} tls_server_config.client_auth_type`, message: "changes only by a restart" }]
  }
  return []
}

const SUCCESSFUL = {
  name: "fedstack_web_config_last_reload_successful",
  help: "1 if the web configuration file and its certificates were good when they were last read, else 0.",
}
const BEGIN = {
  name: "fedstack_web_certificate_not_before_timestamp_seconds",
  help: "When the certificate that new connections are shown became valid.",
}
const END = {
  name: "fedstack_web_certificate_not_after_timestamp_seconds",
  help: "When the certificate that new connections are shown expires.",
}

function showCertificate(registry: Registry, listener: string, { tls }: WebConfig): void {
  if (tls === undefined) return
  gaugeOf(registry, BEGIN).set({ listener }, tls.validity.from.getTime() / 1000)
  gaugeOf(registry, END).set({ listener }, tls.validity.to.getTime() / 1000)
}

/** The one that servers with a common registry share. */
function gaugeOf(registry: Registry, { name, help }: { name: string; help: string }): Gauge<"listener"> {
  const existing = registry.getSingleMetric(name)
  if (existing instanceof Gauge) return existing
  return new Gauge({ name, help, labelNames: ["listener"], registers: [registry] })
}
