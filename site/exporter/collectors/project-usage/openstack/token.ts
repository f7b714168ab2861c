import { z } from "zod"
import type { Domain } from "../cloud.ts"
import type { Access } from "./access.ts"

/** What a sign-in posts to /auth/tokens. It holds the secret. */
export function signInBody({ identity, scope }: Access): string {
  return JSON.stringify({
    auth: {
      identity: { methods: [identity.method], ...credentials(identity) },
      ...(scope === undefined ? {} : { scope }),
    },
  })
}

function credentials(identity: Access["identity"]): Readonly<Record<string, unknown>> {
  if (identity.method === "password") return { password: { user: { ...identity.user, password: identity.secret } } }
  if (identity.method === "token") return { token: { id: identity.secret } }
  return { application_credential: { ...identity.credential, secret: identity.secret } }
}

/** Who it is that signs in, for messages. */
export function whoIs({ identity }: Access): string {
  const shown = (named: { readonly id: string } | { readonly name: string }): string =>
    "id" in named ? named.id : named.name
  if (identity.method === "password") return `user ${shown(identity.user)}`
  if (identity.method === "token") return "a token"
  return `application credential ${shown(identity.credential)}`
}

const text = z.string()
const catalogEntry = z.object({
  type: text,
  endpoints: z.array(z.object({ interface: text, url: text, region: text.nullish(), region_id: text.nullish() })),
})

const domain = z.object({ id: text, name: text })
const inDomain = z.object({ domain }).optional().catch(undefined)

/** What of the response is used. Without a scope there is no catalog. */
export const tokenResponse = z.object({
  token: z.object({
    domain: domain.optional().catch(undefined),
    project: inDomain,
    user: inDomain,
    system: z.unknown().optional(),
    issued_at: z.iso.datetime({ offset: true }),
    expires_at: z.iso.datetime({ offset: true }),
    catalog: z.array(catalogEntry).default([]),
  }),
})

export type TokenScope = "project" | "domain" | "system" | undefined

export function scopeOfToken({ project, domain: scope, system }: TokenFields): TokenScope {
  if (project !== undefined) return "project"
  if (scope !== undefined) return "domain"
  return system === undefined ? undefined : "system"
}

type TokenFields = z.infer<typeof tokenResponse>["token"]
export type Catalog = TokenFields["catalog"]

/** The domains that a token names: that of its scope first, then that of its user. */
export function domainsOf({ domain: scope, project, user }: TokenFields): readonly Domain[] {
  const named = [scope, project?.domain, user?.domain].filter((one) => one !== undefined)
  return [...new Map(named.map((one) => [one.id, one])).values()]
}
