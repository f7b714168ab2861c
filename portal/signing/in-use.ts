import { decodeJwt } from "jose"
import type { Accepted } from "../federation/accepted.ts"

/** When a token begins and ends, in seconds of Unix time. */
export interface TokenTimes {
  readonly issued: number
  readonly expires: number
}

/** What scrapes a site: only names and what was accepted count. */
interface Scraping {
  readonly shards: readonly {
    readonly name: string
    readonly rollout: { readonly accepted: () => Accepted | undefined }
  }[]
  readonly placement: { readonly ownerOf: (site: string) => string }
}

/**
 * The times of the token that Prometheus has for a site. It is not the one that was signed last, while Prometheus cannot be
 * reloaded.
 */
export function tokensInUse() {
  const known = new WeakMap<Accepted, ReadonlyMap<string, TokenTimes>>()
  return (site: string, { shards, placement }: Scraping): TokenTimes | undefined => {
    const owner = placement.ownerOf(site)
    const accepted = shards.find(({ name }) => name === owner)?.rollout.accepted()
    if (accepted === undefined) return undefined
    const times = known.get(accepted) ?? timesIn(accepted)
    known.set(accepted, times)
    return times.get(site)
  }
}

function timesIn({ sites, files }: Accepted): ReadonlyMap<string, TokenTimes> {
  const contents = new Map(files.map(({ path, content }) => [path, content]))
  return new Map(
    sites.flatMap(({ name, jwt, secretFile = "" }) => {
      const token = jwt && contents.get(secretFile)
      const times = token === undefined ? undefined : timesOf(token)
      return times === undefined ? [] : [[name, times] as const]
    }),
  )
}

function timesOf(token: string): TokenTimes | undefined {
  try {
    const { iat, exp } = decodeJwt(token)
    return iat === undefined || exp === undefined ? undefined : { issued: iat, expires: exp }
  } catch {
    return undefined // accepted.json was edited
  }
}
