import { decodeJwt, decodeProtectedHeader } from "jose"
import type { Key } from "./key.ts"
import { type Claims, mint, type MintedToken } from "./mint.ts"

/** A site that knows the portal by tokens that it signs. */
export interface MintedSite {
  readonly name: string
  readonly audience: string
  readonly match?: readonly string[] | undefined
}

/** Seconds that a clock may be set back before all tokens are signed anew: sites refuse tokens of the future. */
const SET_BACK = 5

/**
 * The tokens of all sites. They are renewed together, when the first has half of its life behind it, so that Prometheus is
 * reloaded once for all of them.
 */
export function openMinted(about: Pick<Claims, "issuer" | "subject">, lifetime: number) {
  let sites: readonly MintedSite[] = []
  let tokens: ReadonlyMap<string, MintedToken & { readonly about: string }> = new Map()

  const isDue = ({ kid, issued, expires }: MintedToken, key: Key, now: number): boolean =>
    kid !== key.kid || now >= issued + (expires - issued) / 2 || now < issued - SET_BACK

  async function signed(site: MintedSite, key: Key, now: number) {
    const { audience, match } = site
    return [
      site.name,
      { ...(await mint(key, { ...about, audience, match }, lifetime, now)), about: aboutOf(site) },
    ] as const
  }

  return {
    list(next: readonly MintedSite[]): void {
      sites = next
      const listed = new Map(next.map((site) => [site.name, aboutOf(site)]))
      tokens = new Map([...tokens].filter(([name, token]) => listed.get(name) === token.about))
    },
    /** Signs what is missing, and all where one is due. Returns whether tokens of sites that had one were renewed. */
    async renew(key: Key, now: number): Promise<boolean> {
      const due = tokens.values().some((token) => isDue(token, key, now))
      const wanted = due ? sites : sites.filter(({ name }) => !tokens.has(name))
      const fresh = await Promise.all(wanted.map((site) => signed(site, key, now)))
      tokens = new Map([...(due ? [] : tokens), ...fresh])
      return due
    },
    /** Takes up a token of an earlier process, for a site that has none. */
    seed(site: MintedSite, token: string): void {
      const known = tokens.has(site.name) ? undefined : readToken(token, about.issuer, site)
      if (known !== undefined) tokens = new Map([...tokens, [site.name, { ...known, about: aboutOf(site) }]])
    },
    tokenOf: (site: string): MintedToken | undefined => tokens.get(site),
  }
}

/** Of a token that this portal signed for the site; undefined for any other. */
function readToken(token: string, issuer: string, { audience, match }: MintedSite): MintedToken | undefined {
  try {
    const { iss, aud, iat, exp, match: narrowed } = decodeJwt(token)
    const { kid } = decodeProtectedHeader(token)
    const isOurs = iss === issuer && aud === audience && JSON.stringify(narrowed) === JSON.stringify(match)
    if (!isOurs || kid === undefined || iat === undefined || exp === undefined) return undefined
    return { token, kid, issued: iat, expires: exp }
  } catch {
    return undefined
  }
}

/** Another audience is another token. */
const aboutOf = ({ audience, match }: MintedSite): string => JSON.stringify([audience, match])
