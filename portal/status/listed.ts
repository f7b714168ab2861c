import { basename, dirname, isAbsolute, join } from "node:path"
import type { Accepted } from "../federation/accepted.ts"
import type { PushingSite, Site } from "../federation/sites.ts"
import type { SiteDetails } from "./overview.ts"

/** What sites.yaml says of a site, as the page shows it: no secret. Times in seconds. */
export interface ListedSite extends Pick<
  SiteDetails,
  "match" | "where" | "credentials" | "tls" | "proxyUrl" | "paused"
> {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly url: string
  readonly interval: number
  readonly timeout: number
  readonly usesOAuth2: boolean
  /** It writes to fedstack tenancy-proxy, and is not requested. */
  readonly pushes?: { readonly tenant: string | undefined }
  /** For what requests it; undefined for what is known only by the last accepted configuration. */
  readonly entry: Site | undefined
}

/** All sites of a plan, in the order of sites.yaml. */
export function listAll(
  sites: readonly Site[],
  pushing: readonly PushingSite[],
  sitesFile: string,
): readonly ListedSite[] {
  const places = new Map([...sites, ...pushing].map(({ name, index }) => [name, index]))
  const all = [...listSites(sites, sitesFile), ...pushing.map(fromPushing)]
  return all.toSorted((a, b) => (places.get(a.name) ?? 0) - (places.get(b.name) ?? 0))
}

/** Of the sites of a plan; of the last accepted configuration only names and intervals are kept. */
export const listSites = (
  sites: readonly (Site | Accepted["sites"][number])[],
  sitesFile: string,
): readonly ListedSite[] => sites.map((site) => ("url" in site ? fromEntry(site, sitesFile) : fromAccepted(site)))

function fromEntry(site: Site, sitesFile: string): ListedSite {
  const { name, labels, url, interval, timeout, match, tls, proxy_url, where } = site
  const at = (file: string | undefined) =>
    file === undefined || isAbsolute(file) ? file : join(dirname(sitesFile), file)
  return {
    name,
    labels,
    url: url.href.replace(/\/$/, ""),
    interval,
    timeout,
    match,
    where: basename(where.replace(/ .*$/, "")),
    usesOAuth2: site.oauth2 !== undefined,
    credentials: credentialsOf(site, at),
    tls: {
      caFile: at(tls?.ca_file),
      certFile: at(tls?.cert_file),
      keyFile: at(tls?.key_file),
      serverName: tls?.server_name,
    },
    proxyUrl: proxy_url?.origin,
    paused: pauseOf(site),
    entry: site,
  }
}

const NO_TLS = { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined }

/** A site that pushes: nothing is sent to it. */
const fromPushing = (site: PushingSite): ListedSite => ({
  name: site.name,
  labels: site.labels,
  url: "",
  interval: site.interval,
  timeout: site.interval,
  match: site.match,
  where: basename(site.where.replace(/ .*$/, "")),
  usesOAuth2: false,
  pushes: { tenant: site.push.tenant },
  credentials: { kind: knownBy(site), method: "none", file: undefined },
  tls: NO_TLS,
  proxyUrl: undefined,
  paused: pauseOf(site),
  entry: undefined,
})

function knownBy({ push: { token, jwt, certificate } }: PushingSite): string {
  const kinds = [
    token && "a bearer token",
    jwt && `a token of ${jwt.issuer} for ${jwt.audience.join(" or ")}`,
    certificate && "a client certificate",
  ]
  return kinds.filter((kind) => kind !== undefined).join(", or ")
}

function credentialsOf(
  { token, basic_auth, authorization, oauth2, jwt, tls }: Site,
  at: (file: string | undefined) => string | undefined,
): SiteDetails["credentials"] {
  if (token !== undefined) return { kind: "a bearer token", method: "bearer", file: at(token.file) }
  if (basic_auth !== undefined) {
    const { username: user, password_file } = basic_auth
    return { kind: `a password as user ${user}`, method: "basic", user, file: at(password_file) }
  }
  if (authorization !== undefined) {
    const { type: scheme, credentials_file } = authorization
    return { kind: `credentials of type ${scheme}`, method: "bearer", scheme, file: at(credentials_file) }
  }
  if (oauth2 !== undefined) {
    const file = at(oauth2.client_secret_file)
    return { kind: `a bearer token of ${oauth2.token_url.origin}`, method: "oauth2", file }
  }
  if (jwt !== undefined) {
    const { audience } = jwt
    return { kind: `a token for ${audience} that the portal signs`, method: "bearer", file: undefined, audience }
  }
  return { kind: tls?.cert_file === undefined ? "nothing" : "a client certificate", method: "none", file: undefined }
}

function pauseOf({ paused }: Pick<Site, "paused">): ListedSite["paused"] {
  if (paused === undefined) return undefined
  const { by, at, why } = paused
  return { ...(by !== undefined && { by }), ...(at !== undefined && { at }), ...(why !== undefined && { why }) }
}

/** In sites.yaml. */
export const lineOf = ({ where }: Pick<ListedSite, "where">): string | undefined => /:(\d+)/.exec(where)?.[1]

const fromAccepted = ({ name, interval, paused }: Accepted["sites"][number]): ListedSite => ({
  name,
  labels: {},
  url: "",
  interval,
  timeout: Math.min(interval, 30),
  match: [],
  where: "",
  usesOAuth2: false,
  credentials: { kind: "not known before sites.yaml is mended", method: "none", file: undefined },
  tls: NO_TLS,
  proxyUrl: undefined,
  paused: paused && {},
  entry: undefined,
})
