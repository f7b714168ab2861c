import type { Site } from "./sites.ts"

/** By what the site knows the portal, without the secret. */
export function credentialsOf({ token, basic_auth, authorization, oauth2, jwt, tls }: Site): string {
  const kinds = [
    token && "a bearer token",
    basic_auth && `a password as user ${basic_auth.username}`,
    authorization && `credentials of type ${authorization.type}`,
    oauth2 && `a bearer token of ${oauth2.token_url.origin} for ${oauth2.client_id}`,
    jwt && `a token for ${jwt.audience} that the portal signs`,
    tls?.cert_file && "a client certificate",
  ]
  return kinds.filter((kind) => kind !== undefined).join(", and ")
}
