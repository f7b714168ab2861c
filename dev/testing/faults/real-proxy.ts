import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer, type RequestListener } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { stringify } from "yaml"
import { closeAll } from "#core/closable.ts"
import { createLogger } from "#core/log/logger.ts"
import { policyFile } from "../../../site/proxy/policy/load.ts"
import { startProxy } from "../../../site/proxy/start.ts"
import { type FaultySite, nothingToClose, TOKEN } from "./fault.ts"
import { listening, METRICS, respondWithUsage, siteAt, usageLine } from "./servers.ts"

const SHARED = '{job="project_usages",__name__=~"project_.*_usage"}'
const local = { host: "127.0.0.1", port: 0 }

interface Behind {
  /** What the site's Prometheus responds; undefined: it is down. */
  readonly prometheus?: RequestListener
  readonly token?: string
  readonly match?: string
  readonly limits?: Readonly<Record<string, unknown>>
  readonly entry?: Readonly<Record<string, unknown>>
}

/** The site's own proxy as it is, with a policy of one token. */
async function realProxy({ prometheus, token = TOKEN, match = SHARED, limits = {}, entry = {} }: Behind) {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-fault-"))
  const upstream = prometheus && (await listening(createServer(prometheus)))
  const policy = join(folder, "policy.yaml")
  const document = {
    upstreams: [`http://127.0.0.1:${upstream?.port ?? 1}`],
    tokens: [{ name: "portal", env: "FAULT_TOKEN", match: [match] }],
    reuse: "0s",
    limits: { upstream_timeout: "1s", ...limits },
  }
  await writeFile(policy, stringify(document))
  const log = createLogger({ level: "error", format: "logfmt" }, "proxy", () => undefined)
  const running = await startProxy(
    {
      policy: policyFile(policy, {
        env: { FAULT_TOKEN: token },
        now: () => new Date(),
        log,
        noCertificates: () => Promise.resolve("are not used"),
      }),
      addresses: [local],
      adminAddress: local,
      webConfigFile: undefined,
    },
    log,
  )
  const end = {
    close: () =>
      closeAll([running, upstream ?? { close: nothingToClose }, { close: () => rm(folder, { recursive: true }) }]),
  }
  return siteAt(`http://127.0.0.1:${running.public.addresses[0]?.port}`, end, { entry })
}

const works: RequestListener = (_, response) => respondWithUsage(response)

export const unauthorized = (): Promise<FaultySite> =>
  realProxy({ prometheus: works, token: "another-5c20f8e1b7d94a36" })

/** The second of two selectors is not shared. */
export const forbidden = (): Promise<FaultySite> =>
  realProxy({ prometheus: works, entry: { match: [SHARED, '{job="kube-state-metrics"}'] } })

/** One request in 1,000 s. */
export const rateLimited = (): Promise<FaultySite> =>
  realProxy({ prometheus: works, limits: { requests_per_second: 0.001 } })

export const upstreamDown = (): Promise<FaultySite> => realProxy({})

/** The proxy cuts what its Prometheus breaks off. */
export const cut = (): Promise<FaultySite> =>
  realProxy({
    prometheus: (_, response) => {
      response.writeHead(200, METRICS)
      response.write(usageLine(), () => response.destroy())
    },
  })
