import { compile, type CompiledSelector } from "./compiled.ts"
import type { Authorisation, Containment } from "./containment.ts"
import { canonical, type Matcher, type Selector } from "./selector.ts"

const NAME = "__name__"

/** Of every series that /federate returns: it leaves those without a name out. A name of several lines is no reason to refuse. */
const HAS_NAME: Matcher = { label: NAME, op: "=~", value: "[^\\n]+" }

/** `named`: only once series without a name are left out, by the matchers that `withNameOf` adds. */
export type NamedAuthorisation =
  | { readonly kind: "contained"; readonly index: number; readonly named: boolean }
  | Extract<Authorisation, { kind: "refused" }>

/**
 * Searches for a shared selector that contains the request, and where none does only because series may lack a name, once
 * more without those: `{job="node"}` is within `{__name__!=""}`. Undefined where `search` is.
 */
export function searchNamed(
  allowed: readonly CompiledSelector[],
  match: CompiledSelector,
  search: (match: CompiledSelector) => Authorisation,
): NamedAuthorisation
export function searchNamed(
  allowed: readonly CompiledSelector[],
  match: CompiledSelector,
  search: (match: CompiledSelector) => Authorisation | undefined,
): NamedAuthorisation | undefined
export function searchNamed(
  allowed: readonly CompiledSelector[],
  match: CompiledSelector,
  search: (match: CompiledSelector) => Authorisation | undefined,
): NamedAuthorisation | undefined {
  const found = search(match)
  if (found?.kind === "contained") return { ...found, named: false }
  if (found === undefined || hasOneName(match.selector) || !found.results.some(mayLackName)) return found
  const named = search(compile([...match.selector, HAS_NAME]))
  if (named === undefined) return undefined
  if (named.kind === "refused") {
    // that a name is missing says more than which name there may be
    const results = named.results.map((result, index) => (saysName(result) ? (found.results[index] ?? result) : result))
    return { kind: "refused", results }
  }
  const within = allowed[named.index]
  if (within === undefined) return found
  // what goes upstream is shared by itself: nothing depends on what is assumed of names here
  const sent = search(compile(withNameOf(within.selector, match.selector)))
  if (sent === undefined) return undefined
  return sent.kind === "contained" ? { kind: "contained", index: named.index, named: true } : found
}

/** What to request upstream where the shared selector contains the named series only: nothing else comes, whatever is upstream. */
export function withNameOf(shared: Selector, selector: Selector): Selector {
  return canonical([...selector, ...shared.filter(({ label }) => label === NAME)])
}

function hasOneName(selector: Selector): boolean {
  return selector.some(({ label, op }) => label === NAME && op === "=")
}

function saysName(result: Containment): boolean {
  return result.kind === "not contained" && result.label === NAME
}

function mayLackName(result: Containment): boolean {
  return result.kind === "not contained" && result.label === NAME && result.witness === ""
}
