import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { request } from "undici"
import { createLogger } from "#core/log/logger.ts"
import { clientsFile } from "./clients/load.ts"
import { startExposition } from "./start.ts"

export const TOKEN = "rightful-token-51c7"
const LOCAL = { host: "127.0.0.1", port: 0 }

/** The file of clients with one that reads tenant `a`, before these upstreams; `more` are further lines. */
export const fileOf = (upstreams: readonly string[], more = ""): string => `upstreams: ${JSON.stringify(upstreams)}
tokens:
  - {name: team, env: TEAM_TOKEN, tenants: [a], match: ['{__name__=~".+"}'], share_everything: true}
${more}`

/** Serves the clients of a file on free ports, with its log kept; gone after the test. */
export async function startTestExposition(
  t: TestContext,
  file: string,
  clocks: { readonly now?: () => Date; readonly milliseconds?: () => number } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-exposition-"))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const written = join(folder, "tenants.yaml")
  await writeFile(written, file)
  const lines: string[] = []
  const log = createLogger({ level: "debug", format: "json" }, "exposition", (line) => lines.push(line))
  const { now = () => new Date(), milliseconds } = clocks
  const policy = clientsFile(written, {
    ...{ log, now, env: { TEAM_TOKEN: TOKEN, OTHER_TOKEN: `other-${TOKEN}` } },
    noCertificates: () => Promise.resolve("the test has no TLS"),
  })
  const config = { policy, addresses: [LOCAL], adminAddress: LOCAL, webConfigFile: undefined }
  const running = await startExposition(config, log, now, milliseconds)
  t.after(() => running.close())
  const port = running.public.addresses[0]?.port ?? 0
  const url = `http://127.0.0.1:${port}`
  const adminUrl = `http://127.0.0.1:${running.admin.addresses[0]?.port}`
  return {
    ...{ running, url, port, adminUrl },
    /** Writes the file anew, and reads it. */
    change: async (changed: string): Promise<void> => {
      await writeFile(written, changed)
      await running.reload()
    },
    log: () => lines.join(""),
    /** Of the component itself. */
    metrics: async (name: string): Promise<readonly string[]> => {
      const { body } = await request(`${adminUrl}/metrics`)
      return (await body.text()).split("\n").filter((line) => line.startsWith(`fedstack_tenancy_exposition_${name}`))
    },
    get: async (path = "/metrics", headers: Readonly<Record<string, string>> = {}) => {
      const response = await request(`${url}${path}`, { headers: { authorization: `Bearer ${TOKEN}`, ...headers } })
      return { status: response.statusCode, headers: response.headers, body: await response.body.text() }
    },
  }
}
