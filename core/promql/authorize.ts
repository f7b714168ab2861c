import { LRUCache } from "lru-cache"
import { type Turns, UNLIMITED_TURNS } from "#core/limits/turns.ts"
import { DEFAULT_BOUNDS } from "./bounds.ts"
import {
  ADDED,
  type AllowedSelectors,
  allowedBy,
  createCompiler,
  judge,
  judgeQuickly,
  type SelectorVerdict,
} from "./judge.ts"
import { printSelector, type Selector } from "./selector.ts"

/** One selector that a client may read. */
export interface SharedSelector {
  readonly selector: Selector
  /** Where it was written: `policy.yaml:12:7 tokens[0].match[1]` or `--allow`. */
  readonly where: string
}

/** Who requests series, and what it may read. */
export interface Principal extends AllowedSelectors {
  readonly name: string
  readonly shared: readonly SharedSelector[]
}

/** The selectors to request upstream and the shared ones that allow it, or what is refused and why. */
export type Decision =
  | { readonly allowed: true; readonly selectors: readonly Selector[]; readonly by: readonly SharedSelector[] }
  | { readonly allowed: false; readonly selector: Selector; readonly reason: string }

/** Judges what takes more than a millisecond or two. */
export type JudgeSelector = (principal: Principal, selector: Selector) => Promise<SelectorVerdict>

export interface AuthorizeOptions {
  /** Selectors of the request upstream, which has more than were requested where matchers are added. */
  readonly most?: number
  /** Called before each verdict that is not known. What it throws ends the decision. */
  readonly mayGoOn?: () => void
}

/** Decides whether a client may read all that the selectors select. Rejects with whatever the judge rejects with. */
export type Authorize = (
  principal: Principal,
  selectors: readonly Selector[],
  options?: AuthorizeOptions,
) => Promise<Decision>

/** Before equal ones count once: a long list of shared ones is not multiplied to be refused. */
const MOST_ADDED = 1024
/** Bytes of all verdicts, for all clients together: some 100,000 usual ones. */
const VERDICT_BYTES = 32_000_000

/**
 * Remembers verdicts, and leaves those that take long to `judgeElsewhere`, once for all that need the same at a time. The
 * others are made in `turns`.
 */
export function createAuthorize(judgeElsewhere?: JudgeSelector, turns: Turns = UNLIMITED_TURNS): Authorize {
  const compiler = createCompiler()
  // oxlint-disable-next-line typescript/require-await -- what it throws becomes a rejection
  const judgeHard = judgeElsewhere ?? (async (principal, selector) => judge(principal, selector, compiler))
  const verdicts = new LRUCache<string, SelectorVerdict>({
    maxSize: VERDICT_BYTES,
    sizeCalculation: (verdict, key) => 200 + key.length + String(verdict).length,
  })
  const pending = new Map<string, Promise<SelectorVerdict>>()
  // another policy has other lists, and finds no verdict of the one before
  const lists = new WeakMap<Principal["shared"], number>()
  let lastList = 0

  function keyOf({ shared, enforce }: Principal, selector: Selector): string {
    let list = lists.get(shared)
    if (list === undefined) lists.set(shared, (list = ++lastList))
    return `${list}${enforce ? "+" : ""} ${printSelector(selector)}`
  }

  function keep(key: string, verdict: SelectorVerdict): SelectorVerdict {
    verdicts.set(key, verdict)
    return verdict
  }

  /** Rests before a verdict that it has to find. */
  async function verdictOf(principal: Principal, selector: Selector, key: string): Promise<SelectorVerdict> {
    await turns.rest()
    const verdict = turns.charge(principal.name, () => judgeQuickly(principal, selector, compiler))
    return verdict === undefined ? judgeOnce(key, principal, selector) : keep(key, verdict)
  }

  function judgeOnce(key: string, principal: Principal, selector: Selector): Promise<SelectorVerdict> {
    const known = pending.get(key)
    if (known !== undefined) return known
    const judging = judgeHard(principal, selector)
      .then((verdict) => keep(key, checkVerdict(verdict, principal, selector)))
      .finally(() => pending.delete(key))
    pending.set(key, judging)
    return judging
  }

  return async (principal, selectors, { most = DEFAULT_BOUNDS.selectors, mayGoOn } = {}) => {
    const { shared } = principal
    const requested = new Map<string, Selector>()
    const by = new Set<SharedSelector>()
    for (const selector of selectors) {
      const key = keyOf(principal, selector)
      let verdict = verdicts.get(key)
      if (verdict === undefined) {
        mayGoOn?.()
        verdict = await verdictOf(principal, selector, key)
      }
      if (typeof verdict === "string") return { allowed: false, selector, reason: verdict }
      const added = requested.size + shared.length
      if (verdict === ADDED && added > Math.max(most, MOST_ADDED)) return tooMany(selector, added, most)
      const { selectors: sent, by: containing } = checkedBy(verdict, shared, selector)
      for (const one of sent) requested.set(printSelector(one), one)
      for (const one of containing) by.add(one)
      if (requested.size > most) return tooMany(selector, requested.size, most)
    }
    return { allowed: true, selectors: inOrder(requested), by: [...by] }
  }
}

function tooMany(selector: Selector, count: number, most: number): Decision {
  const reason = `with the shared matchers added, ${count} selectors would be requested; ${most} at most, the limit selectors`
  return { allowed: false, selector, reason }
}

/** The thread that judges may be younger than this process, and of another version. */
function checkVerdict(verdict: SelectorVerdict, { shared }: Principal, selector: Selector): SelectorVerdict {
  if (typeof verdict !== "string" && verdict !== ADDED) checkedBy(verdict, shared, selector)
  return verdict
}

function checkedBy(verdict: number, shared: readonly SharedSelector[], selector: Selector) {
  const allowed = allowedBy(verdict, shared, selector)
  if (allowed === undefined) throw new Error(`no verdict about ${printSelector(selector)}: ${verdict}`)
  return allowed
}

/** Each once, in one order: the same request upstream in whatever order it was written. */
export function distinctSelectors(selectors: readonly Selector[]): readonly Selector[] {
  return inOrder(new Map(selectors.map((selector) => [printSelector(selector), selector])))
}

function inOrder(byText: ReadonlyMap<string, Selector>): readonly Selector[] {
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, selector]) => selector)
}
