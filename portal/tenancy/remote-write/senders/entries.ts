import { parseYaml, type Path } from "#core/config/config-file.ts"
import type { Faults } from "#core/config/faults.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { type PushingEntry, writers } from "../../../sites/pushing-site.ts"
import type { CredentialEntries, LimitEntry } from "../../../sites/sender-keys.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { sendersSchema } from "./schema.ts"

/** Who may write stands in one of them, or in both. */
export interface SenderFiles {
  /** Of `--senders`. */
  readonly senders?: string | undefined
  /** The portal's sites.yaml, of which those that push are senders. */
  readonly sites?: string | undefined
}

/** An entry of a file, before what it names is read. */
export interface FoundEntry {
  readonly name: string
  readonly file: string
  readonly where: (path: Path) => string
  readonly path: Path
  readonly credentials: CredentialEntries
  readonly credentialsPath: Path
  readonly tenant: TenantId | undefined
  readonly tenants: readonly TenantId[] | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
  readonly match: readonly string[] | undefined
  readonly limits: LimitEntry
  readonly paused: string | undefined
}

interface FoundEntries {
  readonly entries: readonly FoundEntry[]
  /** Of labels that are set for any of them, or for a site that the portal federates. */
  readonly names: ReadonlySet<string>
  /** Those that hold where an entry has none of its own. */
  readonly limits: LimitEntry
}

/** Adds what is wrong with either file to `faults`. */
export function readEntries(files: SenderFiles, read: ReadText, faults: Faults): FoundEntries {
  const { senders: sendersFile, sites: sitesFile } = files
  const senders = sendersFile === undefined ? undefined : faults.collect(() => readSenders(sendersFile, read, faults))
  const sites = sitesFile === undefined ? undefined : faults.collect(() => readSites(sitesFile, read))
  const entries = [...(senders?.entries ?? []), ...(sites?.entries ?? [])]
  const set = entries.flatMap(({ labels = {} }) => Object.keys(labels))
  return { entries, names: new Set([...set, ...(sites?.names ?? [])]), limits: senders?.limits ?? {} }
}

function readSenders(file: string, read: ReadText, faults: Faults) {
  const { value, where } = parseYaml(read(file), file, sendersSchema)
  const entries = value.senders.map((entry, index): FoundEntry => {
    const { name, tenant, tenants, labels, match, limits, ...credentials } = entry
    const path = ["senders", index]
    if (tenant !== undefined && tenants !== undefined) {
      faults.add(where([...path, "tenants"]), "does not go with tenant, which is the only one it writes for")
    }
    if (Object.keys(credentials).length === 0) {
      faults.add(where(path), "has no credentials; give it a token, jwt or certificate")
    }
    const found = { name, tenant, tenants, labels, match, limits, credentials }
    return { ...found, file, where, path, credentialsPath: path, paused: undefined }
  })
  return { entries, limits: value.limits }
}

/** Nothing else of the sites is read: what is wrong with those that the portal federates keeps no other from writing. */
function readSites(file: string, read: ReadText) {
  const { value, where } = parseYaml(read(file), file, writers)
  const entries = value.sites.flatMap((entry, index): readonly FoundEntry[] => {
    if (!("push" in entry)) return []
    const { name, match, push } = entry
    const { tenant, limits, ...credentials } = push
    const path = ["sites", index]
    return [
      {
        ...{ name, tenant, tenants: undefined, match, limits, credentials },
        labels: { site: name, ...entry.labels },
        ...{ file, where, path, credentialsPath: [...path, "push"], paused: pauseOf(entry) },
      },
    ]
  })
  const others = value.sites.flatMap((entry) => ("push" in entry ? [] : entry.labels))
  return { entries, names: others }
}

function pauseOf({ name, paused }: PushingEntry): string | undefined {
  if (paused === undefined) return undefined
  const { by, at, why } = paused
  const facts = [at && `since ${at.toISOString().slice(0, 16)}Z`, by && `by ${by}`].filter(Boolean).join(" ")
  const begin = `${name} is paused${facts === "" ? "" : ` ${facts}`}`
  return `${begin}${why === undefined ? "" : ` (${why})`}: nothing that it writes is accepted until it is resumed.`
}
