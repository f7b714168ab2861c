import { createKeySets, type KeySets } from "#core/auth/jwt/key-sets.ts"
import type { OwnerOf } from "#core/auth/jwt/issuer.ts"
import { followKeys } from "#core/auth/jwt/remote-keys.ts"
import { parseYaml } from "#core/config/config-file.ts"
import { Faults } from "#core/config/faults.ts"
import { Wrong } from "#core/config/settings.ts"
import type { Fault } from "#core/errors.ts"
import { clientsOfTokens } from "#core/federation/narrow-client.ts"
import type { PolicyLoader } from "#core/federation/open-policy.ts"
import { readClients } from "#core/federation/read-clients.ts"
import { readUpstreams } from "#core/federation/upstreams/read.ts"
import type { ReadText } from "#core/files/read-text.ts"
import type { Logger } from "#core/log/logger.ts"
import { createSelectorReader, type SelectorReader } from "#core/promql/selector-reader.ts"
import type { TenantClient, TenantPolicy } from "./client.ts"
import { parseClaimedTenant } from "./read-tenant.ts"
import { clientsSchema, type TenantEntry } from "./schema.ts"

export interface ClientsContext {
  /** For tokens that are taken from variables. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly keySets: KeySets
  readonly selectors: SelectorReader
  /** Why this server verifies no client certificates, in half a sentence; undefined where it does. */
  readonly noCertificates?: () => Promise<string | undefined>
}

export type ClientsOptions = Omit<ClientsContext, "keySets" | "selectors"> & { readonly log: Logger }

/** Loads the file of clients again and again. */
export function clientsFile(file: string, options: ClientsOptions): PolicyLoader<TenantPolicy> {
  const keySets = createKeySets((url, ca) => followKeys(url, ca, options.log))
  const context = { ...options, keySets, selectors: createSelectorReader() }
  return {
    load: (read) => loadClients(file, context, read),
    applied: ({ issuers }) => keySets.keepOnly(issuers),
    close: () => keySets.close(),
  }
}

/** Makes a policy of a file and all that it names. Throws ConfigurationError with every fault. */
export async function loadClients(file: string, context: ClientsContext, read: ReadText): Promise<TenantPolicy> {
  const { env, now, keySets, selectors, noCertificates } = context
  const faults = new Faults()
  const warnings: Fault[] = []
  const { value, where } = parseYaml(read(file), file, clientsSchema)
  /** By the client of an issuer, the claim that names the tenant. */
  const claims = new Map<string, string>()
  const clients = await readClients<TenantEntry, TenantClient>(
    value,
    { file, where, read, env, now: now(), keySets, faults, warnings, selectors, noCertificates },
    {
      client(client, { tenants, tenant_claim: claim }, path) {
        if (claim !== undefined && path[0] !== "jwt") {
          faults.add(where([...path, "tenant_claim"]), "goes with jwt only: nothing else has claims")
        } else if (tenants === undefined && claim === undefined) {
          const todo = path[0] === "jwt" ? "name them in tenants, or the claim in tenant_claim" : "name them in tenants"
          faults.add(where(path), `says not which tenants ${client.name} reads; ${todo}`)
        }
        if (claim !== undefined) claims.set(client.name, claim)
        return { ...client, tenants: tenants ?? [] }
      },
      ofToken: (client) => clientOfToken(client, claims.get(client.name)),
    },
  )
  const upstreams = readUpstreams(value.upstreams, { file, where, read, env, faults, warnings })
  faults.orThrow()
  return {
    ...clients,
    ...upstreams,
    ...{ reuse: value.reuse, lookBack: value.look_back, timestamps: value.timestamps, warnings },
  }
}

/** The client of an issuer's token: of the tenant that its claim names, which must be one of the entry's where it lists some. */
function clientOfToken(client: TenantClient, claim: string | undefined): OwnerOf<TenantClient> {
  if (claim === undefined) return clientsOfTokens(client)
  return (payload) => {
    const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined
    if (typeof value !== "string") return `its claim ${claim} is no tenant id`
    const tenant = parseClaimedTenant(value, client.tenants)
    if (tenant instanceof Wrong) return `its claim ${claim} ${tenant.reason}`
    // limits of its own: a tenant that is busy takes nothing from the others of its issuer
    const { name } = client
    return clientsOfTokens({ ...client, name: `${name}/${tenant}`, entry: name, tenants: [tenant] })(payload)
  }
}
