import { LRUCache } from "lru-cache"
import { canonical, type Selector } from "#core/promql/selector.ts"
import { familyTooLarge } from "./errors.ts"
import { type FamilyOfNames, familiesOf, type Metadata } from "./format/metadata.ts"
import type { ExpositionMetrics } from "./metrics.ts"
import type { PageMemory } from "./store/page-memory.ts"
import { MOST_BYTES } from "./store/read-response.ts"
import type { LookBack, ReadBlock, TenantStore } from "./store/store.ts"
import type { PageBlock } from "./writing/messages.ts"

/** One of the tenants that a request reads. */
export interface ReadTenant {
  readonly store: TenantStore
  /** What its series are told apart by where several are read. */
  readonly label: readonly [name: string, value: string] | undefined
}

export interface PagedQuery {
  readonly key: string
  readonly tenants: readonly ReadTenant[]
  readonly selectors: readonly Selector[]
  readonly range: LookBack
  readonly metadata: Metadata
}

interface PagerOptions {
  readonly memory: PageMemory
  readonly metrics: Pick<ExpositionMetrics, "pages">
}

/** Bytes of series, uncompressed, of all tenants: what has more is read in several pages. */
const PAGE_BYTES = 8 * 2 ** 20
/** A page that turned out to be larger is used, up to this; only a single family may have more. */
const LARGE_PAGE_BYTES = 2 * PAGE_BYTES
/** Queries that are known not to fit one page. */
const KEPT = 1000
/** Characters of an expression of names, and of those of all selectors: Cortex accepts 1 MiB. */
const MOST_NAMES = 16_384
const MOST_NAMES_OF_ALL = 2 ** 19

/** Reads what does not fit one page name by name, a family at least: no series is read twice, and no family is split. */
export function createPager({ memory, metrics }: PagerOptions) {
  /** How many families fitted at last. */
  const large = new LRUCache<string, number>({ max: KEPT })

  async function* read(query: PagedQuery, signal: AbortSignal): AsyncGenerator<readonly PageBlock[]> {
    const { key, tenants, selectors, range } = query
    let parts = 4
    if (!large.has(key)) {
      const whole = await blocksOf(query, selectors)
      if (whole !== undefined && bytesOf(whole) <= PAGE_BYTES) {
        yield* pageOf(whole, query, signal)
        return
      }
      if (whole !== undefined) parts = (1.2 * bytesOf(whole)) / PAGE_BYTES
    }
    const names = await Promise.all(tenants.map(({ store }) => store.names(selectors, range)))
    const families = familiesOf(new Set(names.flat()), query.metadata)
    let size = large.get(key) ?? Math.max(1, Math.ceil(families.length / parts))
    let pages = 0
    for (let at = 0; at < families.length;) {
      const some = upTo(families.slice(at, at + size), Math.min(MOST_NAMES, MOST_NAMES_OF_ALL / selectors.length))
      const page = await blocksOf(
        query,
        named(
          selectors,
          some.flatMap((family) => family.names),
        ),
      )
      const bytes = page === undefined ? Infinity : bytesOf(page)
      const [first] = some
      if (some.length > 1 ? bytes > LARGE_PAGE_BYTES : bytes > MOST_BYTES) {
        if (some.length === 1) throw familyTooLarge({ family: first?.family ?? "", limit: MOST_BYTES })
        size = Math.max(1, Math.floor(some.length / 2))
        continue
      }
      if (page !== undefined) yield* pageOf(page, query, signal)
      at += some.length
      pages++
      if (bytes > PAGE_BYTES) size = Math.max(1, Math.floor(some.length / 2))
      else if (bytes < PAGE_BYTES / 4) size = Math.max(size, some.length) * 2
    }
    // it may have become small: then the next one finds out
    if (pages > 1) large.set(key, Math.min(size, families.length))
    else large.delete(key)
  }

  /** Compressed, so that none has memory of pages while others are waited for. Undefined where that of a tenant is too large. */
  async function blocksOf(
    { tenants, range }: PagedQuery,
    selectors: readonly Selector[],
  ): Promise<readonly ReadBlock[] | undefined> {
    const blocks: ReadBlock[] = []
    for (const { store } of tenants) {
      const block = await store.read(selectors, range)
      if (block === undefined) return undefined
      blocks.push(block)
    }
    return blocks
  }

  /** One page, whose memory is given back once the next one is wanted. */
  async function* pageOf(
    blocks: readonly ReadBlock[],
    { tenants }: PagedQuery,
    signal: AbortSignal,
  ): AsyncGenerator<readonly PageBlock[]> {
    using _ = await memory.take(bytesOf(blocks), signal)
    metrics.pages.inc()
    yield blocks.map(({ block }, index) => ({ block, label: tenants[index]?.label }))
  }

  return read
}

const bytesOf = (blocks: readonly ReadBlock[]): number => blocks.reduce((sum, { bytes }) => sum + bytes, 0)

/** As many as an expression may name, one at least. */
function upTo(families: readonly FamilyOfNames[], most: number): readonly FamilyOfNames[] {
  let characters = 0
  const end = families.findIndex(({ names }, index) => {
    characters += names.reduce((sum, { length }) => sum + length + 1, 0)
    return index > 0 && characters > most
  })
  return end === -1 ? families : families.slice(0, end)
}

function named(selectors: readonly Selector[], names: readonly string[]): readonly Selector[] {
  const value = names.map((name) => name.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`)).join("|")
  return selectors.map((selector) => canonical([...selector, { label: "__name__", op: "=~", value }]))
}
