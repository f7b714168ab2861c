import { defineError } from "#core/errors.ts"
import type { Api } from "./api.ts"
import { type Item, isItem, listIn, unexpectedResponse } from "./response.ts"
import { ServiceError } from "./errors.ts"

export const listingUnsteady = defineError(
  "LISTING_UNSTEADY",
  503,
  "The list {path} changed while it was read, {times} times in a row: the server that a page ended with was gone when the next was requested",
)

/** The version from which on Nova hands out usage in pages; before it, usage is cut at its largest page without a word. */
export const MICROVERSION = "2.40"
/** Servers on a page, which is Nova's own default; less if Nova is configured so. A page is what is in memory at a time. */
const PAGE = 1000
/** How often a list is started again. */
const ATTEMPTS = 5
/** No cloud has so many servers: an API that always has a next page is faulty. */
const PAGES = 100_000

interface Listing {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** The key of the list in a response; that of the links to the next page is the same with `_links`. */
  readonly key: string
}

/** Reads the items of a page, and returns the ids of its servers, one for each that Nova counts for the page. */
type Take = (items: readonly Item[]) => readonly string[]

/**
 * Reads a list of Nova page by page. `begin` is called before the first page, each time that it is read from its beginning.
 * Throws where a page does not continue the one before it, or the list ends where it cannot: it would not be whole.
 */
export async function readPages(api: Api, listing: Listing, signal: AbortSignal, begin: () => Take): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (await readOnce(api, listing, signal, begin())) return
  }
  throw listingUnsteady({ path: listing.path, times: ATTEMPTS })
}

/** False if the server that a page ended with is gone. */
async function readOnce(api: Api, { path, query, key }: Listing, signal: AbortSignal, take: Take): Promise<boolean> {
  const refuse = unexpectedResponse("compute", path)
  const markers = new Set<string>()
  /** Servers on a full page. */
  let full = PAGE
  let marker: string | undefined
  do {
    const page = { ...query, limit: String(PAGE), ...(marker === undefined ? {} : { marker }) }
    let response: unknown
    try {
      response = await api.get("compute", path, { query: page, microversion: MICROVERSION, signal })
    } catch (error) {
      if (marker !== undefined && error instanceof ServiceError && error.responseStatus === 400) return false
      throw error
    }
    const ids = take(listIn(response, key, refuse))
    marker = nextMarker(response, `${key}_links`, refuse)
    if (marker === undefined && ids.length < full) return true
    if (marker === undefined)
      throw refuse(`a page of ${ids.length} servers, which is a full one, has no link to the next`)
    if (markers.has(marker)) throw refuse(`its pages come back to the marker ${marker}`)
    if (!ids.includes(marker))
      throw refuse(`the link to the next page begins after ${marker}, which is not on this page`)
    markers.add(marker)
    full = Math.min(full, ids.length)
  } while (markers.size < PAGES)
  throw refuse(`it has more than ${PAGES} pages`)
}

/** Only the marker of the link counts: behind a TLS proxy the rest of the address can be one that is not to be reached. */
function nextMarker(response: unknown, key: string, refuse: (reason: string) => Error): string | undefined {
  if (!isItem(response) || response[key] === undefined) return undefined
  const next = listIn(response, key, refuse).find(({ rel }) => rel === "next")
  if (next === undefined) return undefined
  const [, search = ""] = typeof next.href === "string" ? next.href.split("?", 2) : []
  const marker = new URLSearchParams(search).get("marker")
  if (marker === null || marker === "") throw refuse(`${key} has a next page without a marker`)
  return marker
}
