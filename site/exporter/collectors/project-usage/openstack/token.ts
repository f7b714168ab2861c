import { z } from "zod"
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

/** What of the response is used. Without a scope there is no catalog. */
export const tokenResponse = z.object({
  token: z.object({
    issued_at: z.iso.datetime({ offset: true }),
    expires_at: z.iso.datetime({ offset: true }),
    catalog: z.array(catalogEntry).default([]),
  }),
})

export type Catalog = z.infer<typeof tokenResponse>["token"]["catalog"]
