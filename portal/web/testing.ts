import { createLogger } from "#core/log/logger.ts"
import { serve } from "#core/http/server.ts"
import { addAccess } from "../access/hook.ts"
import type { StatusSource } from "../status/overview.ts"
import { fakeSite, fakeSites, NOW } from "./fake-sites.testing.ts"
import { fakeSource } from "./fake-source.testing.ts"
import type { Frame } from "./layout.ts"
import { addPortalPages } from "./routes.ts"
import type { SitesApi } from "./sites-api.ts"

export const fakeFrame: Frame = {
  assets: {
    style: "/static/style.css",
    icons: { ok: "/static/ok.svg", attention: "/static/attention.svg", trouble: "/static/trouble.svg" },
    script: "/static/page.ts",
  },
  links: { prometheus: "https://portal.example.org/prometheus", grafana: "https://grafana.example.org" },
  version: "0.1.0",
  shows: "run-0",
}

/** A server of the pages on a free port, or on this one. */
export async function servePages(
  source: StatusSource,
  options: { readonly port?: number; readonly now?: () => Date; readonly sites?: Omit<SitesApi, "log"> } = {},
) {
  const { port = 0, now = () => NOW, sites } = options
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", (line) => lines.push(line))
  const serving = await serve({
    addresses: [{ host: "127.0.0.1", port }],
    webConfigFile: undefined,
    log,
    async routes(app, closing) {
      if (sites !== undefined) addAccess(app, sites.access)
      const changes = sites && { sites: { ...sites, log } }
      await addPortalPages(app, source, { version: "0.1.0", closing, now, ...changes })
    },
  })
  return {
    url: `http://127.0.0.1:${serving.addresses[0]?.port}`,
    log: () => lines.join(""),
    close: () => serving.close(),
  }
}

/** `node portal/web/testing.ts 30`: the pages of so many sites, of which one changes every two seconds. */
if (import.meta.main) {
  const real = (): Date => new Date()
  const source = fakeSource(fakeSites(Number(process.argv[2] ?? 30), real()), real)
  const { url } = await servePages(source, { now: real, port: Number(process.env["PORT"] ?? 8099) })
  process.stdout.write(`${url}\n`)
  let turn = 0
  setInterval(() => {
    const { sites } = source.current()
    const site = sites[(turn += 7) % sites.length]
    if (site === undefined) return
    const failing = site.state === "ok"
    source.change(
      site.name,
      fakeSite(
        site.name,
        {
          labels: site.labels,
          since: real(),
          ...(failing && {
            state: "down",
            cause: "timeout",
            causeTitle: "no response in time",
            reason: "The site sends nothing within 30 s.",
            todo: "Ask the site to look at the load of its Prometheus.",
          }),
        },
        real(),
      ),
    )
  }, 2000)
}
