import { type Parse, Wrong } from "#core/config/settings.ts"

/** The namespace at the ruler of a resource's groups. */
export type NamespaceTemplate = (resource: ResourceNames) => string

export interface ResourceNames {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

const PLACEHOLDER = /\{([^{}]*)\}/g
const NAMES: readonly (keyof ResourceNames)[] = ["namespace", "name", "uid"]

/**
 * Text with `{namespace}`, `{name}` and `{uid}`. What separates two of them is percent-encoded in their values, so that
 * `a-b` and `c` never read as `a` and `b-c`; `{namespace}` alone leaves it as it is, as the original does.
 */
export const parseNamespaceTemplate: Parse<NamespaceTemplate> = (text) => {
  const literals = text.split(PLACEHOLDER).filter((_, index) => index % 2 === 0)
  const given = [...text.matchAll(PLACEHOLDER)].map(([, name = ""]) => name)
  const names = given.filter((name) => NAMES.includes(name as keyof ResourceNames)) as (keyof ResourceNames)[]
  if (names.length < given.length || literals.some((literal) => /[{}]/.test(literal)))
    return new Wrong("must have no other braces than {namespace}, {name} and {uid}")
  if (names.length === 0) return new Wrong("must contain {namespace}, {name} or {uid}")
  if (/[^\x21-\x7E]/.test(text)) return new Wrong("must consist of printable ASCII characters without blanks")
  const separators = literals.slice(1, -1)
  if (separators.some((separator) => !/[^A-Za-z0-9%]/.test(separator)))
    return new Wrong("must separate placeholders by a character that is no letter, digit or %, such as /")
  const reserved = `%${separators.join("").replaceAll(/[A-Za-z0-9]/g, "")}`
  const encode = (value: string): string =>
    value.replaceAll(/[^A-Za-z0-9]/g, (char) => (reserved.includes(char) ? escaped(char) : char))
  return (resource) => literals.map((literal, index) => literal + encode(valueAt(resource, names[index]))).join("")
}

/** Whether resources of two namespaces of Kubernetes can have one at the ruler. */
export function isAcrossNamespaces(template: NamespaceTemplate): boolean {
  const [a, b] = ["a", "b"].map((namespace) => template({ namespace, name: "name", uid: "uid" }))
  return a === b && template({ namespace: "a", name: "name", uid: "other" }) === a
}

const valueAt = (resource: ResourceNames, name: keyof ResourceNames | undefined): string =>
  name === undefined ? "" : resource[name]

const escaped = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
