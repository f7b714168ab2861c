import type { Site } from "./sites.ts"
import { OF_OAUTH2, tlsConfig } from "./site-tls.ts"

/** The part of a scrape job that says how the portal identifies itself; files are those that are written. */
export function jobCredentials({ name, token, basic_auth, authorization, oauth2, jwt, secretFile, tls }: Site): object {
  return {
    basic_auth: basic_auth && { username: basic_auth.username, password_file: secretFile },
    authorization:
      token === undefined && jwt === undefined
        ? authorization && { type: authorization.type, credentials_file: secretFile }
        : { credentials_file: secretFile },
    oauth2: oauth2 && {
      client_id: oauth2.client_id,
      client_secret_file: secretFile,
      scopes: oauth2.scopes,
      token_url: oauth2.token_url.href,
      endpoint_params: oauth2.endpoint_params,
      proxy_url: oauth2.proxy_url && hostOf(oauth2.proxy_url),
      tls_config: oauth2.tls_config && tlsConfig(name, oauth2.tls_config, OF_OAUTH2.prefix),
    },
    tls_config: tls && tlsConfig(name, tls, ""),
  }
}

/** Without the slash that a URL of a host ends with. */
export const hostOf = (url: URL): string => url.origin
