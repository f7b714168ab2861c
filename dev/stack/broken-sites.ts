import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { closeAll } from "#core/closable.ts"
import { UsageError } from "#core/errors.ts"
import type { FaultySite } from "../testing/faults/fault.ts"
import { siteName } from "../testing/faults/stack.ts"
import { BREAKABLE } from "./breakable.ts"

/** A site that fails on purpose. */
export interface BrokenSite {
  readonly name: string
  /** What the portal is to find. */
  readonly cause: string
  readonly fault: FaultySite
}

export interface BrokenSites {
  readonly sites: readonly BrokenSite[]
  /** Of the sites file as a whole, and of the base configuration. */
  readonly limits: Readonly<Record<string, unknown>>
  readonly global: Readonly<Record<string, unknown>>
  close(): Promise<void>
}

/** Starts a site for each of these names. Throws UsageError where this Prometheus does not fail in that way. */
export async function startBrokenSites(names: readonly string[], prometheus: string): Promise<BrokenSites> {
  const wanted = [...new Set(names)].flatMap((name) => {
    const fault = BREAKABLE.get(name)
    return fault === undefined ? [] : [{ name, fault }]
  })
  const faults = wanted.flatMap(({ name, fault: { versions } }) =>
    versions === undefined || versions.some((version) => prometheus.startsWith(`${version}.`))
      ? []
      : [{ where: "--break", message: `${name} needs Prometheus ${versions.join(" or ")} (this is ${prometheus})` }],
  )
  if (faults.length > 0) throw new UsageError(faults)
  const sites: BrokenSite[] = []
  for (const { name, fault } of wanted)
    sites.push({ name: `broken-${siteName(name)}`, cause: fault.cause, fault: await fault.start() })
  const merged = (key: "limits" | "global"): Readonly<Record<string, unknown>> =>
    Object.fromEntries(sites.flatMap(({ fault }) => Object.entries(fault[key] ?? {})))
  return {
    sites,
    limits: merged("limits"),
    global: merged("global"),
    close: () => closeAll(sites.map(({ fault }) => fault)),
  }
}

/** Writes the files that the entries name beside the sites file. */
export async function writeFiles({ sites }: BrokenSites, folder: string): Promise<void> {
  for (const [name, content] of sites.flatMap(({ fault }) => Object.entries(fault.files))) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content, { mode: 0o600 })
  }
}
