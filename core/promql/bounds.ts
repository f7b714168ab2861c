/** How large a request for series may be. Each holds by itself, and whichever is reached first refuses it. */
export interface RequestBounds {
  /** Selectors of a request, and of the one upstream, which may have more where matchers are added. */
  readonly selectors: number
  /** Characters of a selector. */
  readonly characters: number
  /** Bytes of target and headers. */
  readonly bytes: number
}

export type GivenBounds = { readonly [Key in keyof RequestBounds]?: number | undefined }

/** Federations in use have up to 211 selectors, selectors of 10,058 characters and requests of 179 kB. */
export const DEFAULT_BOUNDS: RequestBounds = { selectors: 1024, characters: 16_384, bytes: 262_144 }

/** What they are called in a policy, below `limits`. */
export const BOUND_KEYS = {
  selectors: "selectors",
  characters: "selector_characters",
  bytes: "request_bytes",
} as const satisfies Record<keyof RequestBounds, string>

/** Of a scrape besides its query: path, Host, Accept, a token. */
const OTHER_BYTES = 4096
/** Of a short selector with its parameter, and of a character of a long one, percent-encoded. */
const BYTES_OF = { selectors: 16, characters: 3 }

/**
 * Bounds that can all be reached: what is not given is the default, or less where that does not fit into the bytes of a
 * request. `unreachable`: what was given and does not fit, with the reason.
 */
export function boundsOf(given: GivenBounds) {
  const bytes = given.bytes ?? DEFAULT_BOUNDS.bytes
  const room = bytes - OTHER_BYTES
  const bounds = { bytes, selectors: 0, characters: 0 }
  const unreachable: { readonly key: keyof typeof BYTES_OF; readonly problem: string }[] = []
  for (const key of ["selectors", "characters"] as const) {
    const fitting = Math.floor(room / BYTES_OF[key])
    bounds[key] = given[key] ?? Math.min(DEFAULT_BOUNDS[key], fitting)
    if (bounds[key] <= fitting) continue
    const needed = bounds[key] * BYTES_OF[key] + OTHER_BYTES
    const problem = `can never be reached: a request that large has up to ${needed} bytes, and ${BOUND_KEYS.bytes} is ${bytes}`
    unreachable.push({ key, problem: `${problem}; raise that, or choose at most ${fitting}` })
  }
  return { bounds: bounds as RequestBounds, unreachable }
}

/** What of a scrape with these selectors is beyond the bounds, in half sentences; empty where nothing is. */
export function beyondBounds(selectors: readonly string[], bounds: RequestBounds): readonly string[] {
  const found: string[] = []
  const add = (what: string, key: keyof RequestBounds): void => {
    found.push(`${what}, more than the limit ${BOUND_KEYS[key]} of ${bounds[key]}`)
  }
  if (selectors.length > bounds.selectors) add(`has ${selectors.length} selectors`, "selectors")
  const longest = selectors.reduce((most, { length }) => Math.max(most, length), 0)
  if (longest > bounds.characters) add(`has a selector of ${longest} characters`, "characters")
  const bytes = bytesOfScrape(selectors)
  if (bytes > bounds.bytes) add(`has some ${bytes} bytes`, "bytes")
  return found
}

/** As Prometheus encodes the query, a little more where the other headers are short. */
export function bytesOfScrape(selectors: readonly string[]): number {
  const query = selectors.reduce((sum, selector) => sum + "match%5B%5D=&".length + lengthEncoded(selector), 0)
  return query + OTHER_BYTES
}

/** Go's url.QueryEscape leaves letters, digits and `-_.~` as they are, and writes a space as a plus sign. */
function lengthEncoded(text: string): number {
  const left = text.match(/[\w.~ -]/g)?.length ?? 0
  return left + 3 * (Buffer.byteLength(text) - left)
}
