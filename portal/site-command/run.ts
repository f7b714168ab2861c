import { randomBytes } from "node:crypto"
import { userInfo } from "node:os"
import { z } from "zod"
import type { Context } from "#core/component.ts"
import { FedstackError, UsageError } from "#core/errors.ts"
import { type ReadText, readText } from "#core/files/read-text.ts"
import { cleanText } from "#core/log/clean-text.ts"
import { loadSites } from "../federation/sites.ts"
import { changeFile } from "../sites-file/change-file.ts"
import type { Change } from "../sites-file/edit.ts"
import { changeToAdd, changeToPause, changeToResume } from "../sites-file/request.ts"
import { outcomeOf, type PortalAccess, requestPortal } from "./portal-api.ts"

/** From flags and variables. */
interface Where {
  readonly portalUrl: URL | undefined
  readonly portalTokenFile: string | undefined
  readonly portalCaFile: string | undefined
  readonly sitesFile: string | undefined
}
type Terminal = Pick<Context, "print" | "env" | "now">

interface Added extends Where {
  readonly url: string | undefined
  readonly labels: readonly (readonly [string, string])[]
  readonly match: readonly string[]
  readonly interval: string | undefined
  readonly timeout: string | undefined
  readonly proxyUrl: string | undefined
  readonly tokenFile: string | undefined
  readonly tokenEnv: string | undefined
  readonly audience: string | undefined
  readonly pushSha256: string | undefined
  readonly pushTenant: string | undefined
}

/** Throws UsageError, ConfigurationError with every fault, and what the portal responds. */
export async function addSite(values: Added, terminal: Terminal, name: string): Promise<undefined> {
  const { url, labels, match, interval, timeout, proxyUrl: proxy_url, tokenFile, tokenEnv, audience } = values
  const { pushSha256: sha256, pushTenant: tenant } = values
  const token = {
    ...(tokenFile !== undefined && { file: tokenFile }),
    ...(tokenEnv !== undefined && { env: tokenEnv }),
  }
  const body = {
    ...{ name, url },
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    ...(match.length > 0 && { match }),
    ...{ interval, timeout, proxy_url },
    ...(Object.keys(token).length > 0 && { token }),
    ...(audience !== undefined && { jwt: { audience } }),
    ...(sha256 !== undefined && { push: { token: { sha256 }, ...(tenant !== undefined && { tenant }) } }),
  }
  if (tenant !== undefined && sha256 === undefined)
    throw new UsageError([{ where: "--push-tenant", message: "goes with --push-sha256" }])
  if (url === undefined && sha256 === undefined)
    throw new UsageError([
      { where: "--url", message: "must be given: where the site's proxy is; or --push-sha256 for a site that pushes" },
    ])
  await change(values, terminal, ["POST", "", body], () => changeToAdd(body))
}

export const pauseSite = (values: Where & { readonly why: string | undefined }, terminal: Terminal, name: string) => {
  const body = { ...(values.why !== undefined && { why: values.why }) }
  return change(values, terminal, ["POST", `${pathOf(name)}/pause`, body], () =>
    changeToPause(name, body, userInfo().username, terminal.now()),
  )
}

export const resumeSite = (values: Where, terminal: Terminal, name: string) =>
  change(values, terminal, ["POST", `${pathOf(name)}/resume`, {}], () => changeToResume(name))

export const removeSite = (values: Where, terminal: Terminal, name: string) =>
  change(values, terminal, ["DELETE", pathOf(name)], () => ({ kind: "remove", name }))

const pathOf = (name: string): string => `/${encodeURIComponent(name)}`

type ApiRequest = readonly [method: "POST" | "DELETE", path: string, body?: object]

async function change(values: Where, terminal: Terminal, request: ApiRequest, make: () => Change): Promise<undefined> {
  const target = targetOf(values)
  if (typeof target !== "string") return terminal.print(outcomeOf(await requestPortal(target, ...request))) as undefined
  const { written } = await changeFile(target, make(), {
    validate: (text) =>
      Promise.try(() => sitesIn(target, terminal, (file, where) => (file === target ? text : readText(file, where)))),
  })
  const done = written ? `changed; a portal that reads it applies it within seconds` : "nothing to change"
  terminal.print(`${target}: ${done}.\n`)
  return undefined
}

const sitesIn = (file: string, { env }: Terminal, read: ReadText) =>
  loadSites(file, { env, key: randomBytes(32), read })

/** A portal, or the name of a file. */
function targetOf({ portalUrl, sitesFile, ...access }: Where): PortalAccess | string {
  if (portalUrl !== undefined) return { portalUrl, ...access }
  if (sitesFile !== undefined) return sitesFile
  const message = "must be given, or --sites.file: where the sites are listed"
  throw new UsageError([{ where: "--portal.url", message }])
}

const list = z.object({
  sites: z.array(z.object({ name: z.string(), state: z.string(), url: z.string(), reason: z.string().nullable() })),
})

/** In place of a URL. */
const PUSHES = "(pushes)"

/** One line for each site; of a portal with its state. */
export async function listSites(values: Where, terminal: Terminal): Promise<undefined> {
  const target = targetOf(values)
  if (typeof target === "string") {
    const { sites, pushing } = sitesIn(target, terminal, readText)
    const rows = [...sites, ...pushing]
      .toSorted((one, other) => one.index - other.index)
      .map((site) => {
        const { name, paused } = site
        const why = paused === undefined ? "" : [paused.by, paused.why].filter(Boolean).join(": ")
        const url = "push" in site ? PUSHES : site.url.href.replace(/\/$/, "")
        return [name, paused === undefined ? "listed" : "paused", url, why]
      })
    return print(terminal, rows)
  }
  const { data } = list.safeParse(await requestPortal(target, "GET", "?sort=name"))
  if (data === undefined) throw new FedstackError("PORTAL_ERROR", 502, "this is no portal, or of another version")
  return print(
    terminal,
    data.sites.map(({ name, state, url, reason }) =>
      [name, state, url || PUSHES, reason ?? ""].map((text) => cleanText(text)),
    ),
  )
}

function print(terminal: Terminal, rows: readonly (readonly string[])[]): undefined {
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)))
  if (rows.length === 0) terminal.print("no sites are listed\n")
  for (const row of rows)
    terminal.print(
      `${row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()}\n`,
    )
  return undefined
}
