import { closeAll } from "#core/closable.ts"
import { stringify } from "yaml"
import type { Fault, FaultySite } from "./fault.ts"

/** Several faulty sites as one stack has them. */
export interface FaultySites {
  /** By name: that of the fault, with dashes. */
  readonly sites: ReadonlyMap<string, FaultySite>
  /** sites.yaml, the base configuration base.yml and the files that they name. */
  readonly files: Readonly<Record<string, string>>
  /** To be called when the portal has written what Prometheus reads, before Prometheus is started. */
  spoil(configDir: string): Promise<void>
  close(): Promise<void>
}

export const siteName = (fault: string): string => fault.replaceAll(/[^a-z\d.-]/gi, "-")

/** Starts the faults and writes the sites.yaml of all of them, each on a line of its own. */
export async function startFaultySites(
  faults: Readonly<Record<string, Fault>>,
  defaults: Readonly<Record<string, unknown>> = { interval: "2s" },
): Promise<FaultySites> {
  const started = await Promise.all(
    Object.entries(faults).map(async ([name, fault]) => [siteName(name), await fault.start()] as const),
  )
  const sites = new Map(started)
  const all = [...sites.values()]
  const merged = (key: "limits" | "global"): Record<string, unknown> =>
    Object.assign({}, ...all.map((site) => site[key] ?? {})) as Record<string, unknown>
  const entry = ([name, site]: readonly [string, FaultySite]): string =>
    `  - ${JSON.stringify({ name, labels: { location: name }, ...defaults, ...site.entry })}\n`
  const limits = merged("limits")
  return {
    sites,
    files: {
      ...(Object.assign({}, ...all.map((site) => site.files)) as Record<string, string>),
      "sites.yaml": `sites:\n${[...sites].map(entry).join("")}${Object.keys(limits).length === 0 ? "" : stringify({ limits })}`,
      "base.yml": stringify({ global: merged("global") }),
    },
    async spoil(configDir) {
      for (const [name, site] of sites) await site.spoil?.(configDir, name)
    },
    close: () => closeAll(all),
  }
}
