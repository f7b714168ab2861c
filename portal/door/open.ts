import type { FastifyInstance } from "fastify"
import type { Registry } from "prom-client"
import { type Closable, closeAll } from "#core/closable.ts"
import { Faults } from "#core/config/faults.ts"
import { UsageError } from "#core/errors.ts"
import { openAgent } from "#core/http/agent.ts"
import type { Sending } from "#core/http/client-credentials.ts"
import { serve, type Serving } from "#core/http/server.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Access } from "../access/access.ts"
import { addAccess, identityOf } from "../access/hook.ts"
import type { Frame } from "../web/layout.ts"
import { addSecurityHeaders } from "../web/security.ts"
import { addPassed } from "./door.ts"
import { watchFlaws } from "./known-flaws.ts"
import { passedGrafana, passedPrometheus } from "./servers.ts"
import type { DoorSettings } from "./settings.ts"

interface DoorContext {
  /** `shard`: which of several it is. */
  readonly prometheus: { readonly url: URL; readonly sending: () => Sending; readonly shard?: string | undefined }
  readonly webConfigFile: string | undefined
  readonly access: Access
  readonly log: Logger
  readonly registry: Registry
}

/** What is passed through, and where. */
export interface Door extends Closable {
  /** From the page. */
  readonly links: Frame["links"]
  /** What users of the page have to know of what is passed through. */
  readonly notice: () => string | undefined
  /** On the server of the page, unless there is an address for it. */
  addTo(app: FastifyInstance): Promise<void>
  /** On that address, where there is one. Throws CANNOT_LISTEN and ConfigurationError. */
  listen(): Promise<void>
  /** Reads the web configuration of that address again. */
  reload(): Promise<void>
}

/** Throws UsageError. */
export function openDoor(settings: DoorSettings, context: DoorContext): Door {
  const { passthroughAddress: address, prometheusExternalUrl, grafanaUrl, grafanaExternalUrl } = settings
  const { prometheus, webConfigFile, access, log, registry } = context
  const agent = openAgent({})
  const grafana = grafanaUrl && {
    url: grafanaUrl,
    externalUrl: grafanaExternalUrl,
    sending: () => ({ agent, headers: {} }),
  }
  const passed = settings.passthrough
    ? [
        passedPrometheus({ ...prometheus, externalUrl: prometheusExternalUrl }),
        grafana && passedGrafana(grafana),
      ].filter((one) => one !== undefined)
    : []
  const isPassed = (prefix: string): boolean => passed.some((one) => one.prefix === prefix)
  const faults = new Faults()
  if (settings.passthrough && grafana !== undefined && !isPassed("/grafana"))
    faults.add("--grafana.url", "must have the path /grafana/, below which Grafana has its pages")
  if (address !== undefined && passed.length === 0)
    faults.add("--web.passthrough-address", "cannot be given where nothing is passed through")
  faults.orThrow(UsageError)
  let server: Serving | undefined
  const closing = new AbortController()
  const watched = passed.find(({ prefix }) => prefix === "/prometheus")
  const notice = watched === undefined ? () => undefined : watchFlaws(watched, log, closing.signal)

  const addAll = async (app: FastifyInstance): Promise<void> => {
    for (const one of passed)
      await addPassed(app, one, { log, userOf: (request) => identityOf(request)?.name || undefined })
  }
  const link = (name: "prometheus" | "grafana", url: URL | undefined): Frame["links"] => {
    if (url !== undefined) return { [name]: url.href.replace(/\/+$/, "") }
    if (address !== undefined || !isPassed(`/${name}`)) return {}
    const { shard } = prometheus
    return { [name]: `/${name}`, ...(name === "prometheus" && shard !== undefined && { prometheusOf: shard }) }
  }
  return {
    notice,
    links: { ...link("prometheus", prometheusExternalUrl), ...link("grafana", grafanaExternalUrl) },
    async addTo(app) {
      if (address === undefined) await addAll(app)
    },
    async listen() {
      if (address === undefined) return
      server = await serve({
        addresses: [address],
        flag: "--web.passthrough-address",
        webConfigFile,
        elsewhere: access.isOurs,
        registry,
        log,
        async routes(app) {
          addAccess(app, access)
          addSecurityHeaders(app)
          await addAll(app)
        },
      })
    },
    reload: async () => server?.reload(),
    close() {
      closing.abort()
      return closeAll([...(server === undefined ? [] : [server]), { close: () => agent.destroy() }])
    },
  }
}
