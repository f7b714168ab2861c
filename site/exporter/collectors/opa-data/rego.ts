import type { Counted } from "./paths.ts"
import type { DigestKind } from "./reading.ts"

/** A string literal of Rego (and JSON): nothing in it can end it or be read as code. */
export function quote(text: string): string {
  const escaped = text.replaceAll(/[^\w /.:@-]/g, (character) => {
    return [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join("")
  })
  return `"${escaped}"`
}

const reference = (segments: readonly string[]): string =>
  `data${segments.map((segment) => `[${quote(segment)}]`).join("")}`

/**
 * What is at a path, on one line: [] where it is undefined, else [[[keys], [members], [digest]]], each of the inner lists
 * empty where there is none. Comprehensions keep an error at one path from the others: a plain binding would lose the
 * whole response. No `some … in`, `if` or `contains`, so that every version of Rego reads it.
 */
export function countExpression({ segments, namespaced }: Counted, digest: DigestKind | undefined): string {
  const d = `d := ${reference(segments)}`
  const keys = "[count(d) | not is_string(d)]"
  const members = namespaced ? "[sum([count(m) | m := d[_]; not is_string(m)])]" : "[]"
  if (digest === undefined) return `[[${keys}, ${members}, []] | ${d}]`
  if (digest === "content") {
    // kube-mgmt leaves empty namespaces behind in some replicas and not in others; what is no object has no names
    const content = namespaced ? "[{n: m | m := d[n]; m != {}}, [d | not is_object(d)]]" : "d"
    return `[[${keys}, ${members}, [h | h := crypto.sha256(json.marshal(${content}))]] | ${d}]`
  }
  const [names, item, count] = namespaced ? ["n, i", "d[n][i]", "members[0]"] : ["n", "d[n]", "keys[0]"]
  // by reference, for a function would have every object handed to it; what is greater than "" is no null, number or boolean
  const version = `${item}.metadata.resourceVersion`
  const steps = [
    d,
    `keys := ${keys}`,
    `members := ${members}`,
    `versions := [[${names}, v] | v := ${version}; v > ""]`,
    // not `not`: OPA evaluates the reference before it
    `others := [[${names}, x] | count(versions) != ${count}; x := ${item}; [1 | ${version} > ""] == []]`,
    // what has no members, of which there are no names either
    `values := ${namespaced ? "array.concat([[n, m] | m := d[n]; not is_object(m)], [d | not is_object(d)])" : "[d | not is_object(d)]"}`,
  ]
  // one conversion of everything costs half as much as a text for each object; OPA compiles few and flat steps soonest
  const all = "[sort(versions), sort(others), sort(values)]"
  return `[[keys, members, [h | h := crypto.sha256(json.marshal(${all}))]] | ${steps.join("; ")}]`
}

/** Names of paths that a policy computes in a form that cannot be counted, not be digested, or has no versions. */
export interface Withheld {
  readonly counts: Set<string>
  readonly digests: Set<string>
  readonly versions: Set<string>
}

export const nothingWithheld = (): Withheld => ({ counts: new Set(), digests: new Set(), versions: new Set() })

/** The digest of one path, as it was asked for or as far as OPA can make it. */
function digestAt(name: string, digest: DigestKind | undefined, { digests, versions }: Withheld) {
  if (digests.has(name)) return undefined
  return digest === "resourceVersion" && versions.has(name) ? "content" : digest
}

export const FIRST_ROW = 2

/** One query for all paths, each alone on its line, which is how errors of OPA are attributed. Withheld ones are null. */
export function countQuery(paths: readonly Counted[], digest: DigestKind | undefined, withheld: Withheld): string {
  const lines = paths.map((path) =>
    withheld.counts.has(path.name) ? "null" : countExpression(path, digestAt(path.name, digest, withheld)),
  )
  return `r := [\n${lines.join(",\n")}\n]`
}

/** The rule of the package with the same result. */
export function ruleName(digest: DigestKind | undefined): string {
  if (digest === undefined) return "counts"
  return digest === "content" ? "counts_and_contents" : "counts_and_objects"
}

const IDENTIFIER = /^[a-z_]\w*$/i

/**
 * A package whose rules count these paths, for an OPA that refuses ad-hoc queries. Its rules hold their expressions
 * whole: a function would have every document handed to it, at many times the price.
 */
export function countPackage(paths: readonly Counted[], [first = "", ...others]: readonly string[]): string {
  const name = first + others.map((part) => (IDENTIFIER.test(part) ? `.${part}` : `[${quote(part)}]`)).join("")
  const rules = ([undefined, "resourceVersion", "content"] as const).map((digest) => {
    const entries = paths.map((path) => `\t${quote(path.name)}: ${countExpression(path, digest)},\n`)
    return `${ruleName(digest)} := {\n${entries.join("")}}\n`
  })
  return `# The counts and hashes that fedstack's exporter of OPA data reads, and nothing else. Made by its --print-package.
package ${name}

${rules.join("\n")}`
}
