import type { Item } from "./answer.ts"

/**
 * What a project says under the names that are wanted: by a tag `NAME=value` or `NAME:value`, by a bare tag `NAME`
 * ("true"), else by its property of that name, such as `enabled`. Empty where it says nothing.
 */
export function propertiesOf(project: Item, names: readonly string[]): Readonly<Record<string, string>> {
  if (names.length === 0) return NONE
  const tags = Array.isArray(project.tags) ? project.tags.filter((tag) => typeof tag === "string") : []
  return Object.fromEntries(names.map((name) => [name, fromTags(tags, name) ?? fromField(project, name)]))
}

const NONE = {}

function fromTags(tags: readonly string[], name: string): string | undefined {
  const tag = tags.find((one) => one.startsWith(name) && /^(?:[=:]|$)/.test(one.slice(name.length)))
  return tag === name ? "true" : tag?.slice(name.length + 1)
}

function fromField(project: Item, name: string): string {
  const value = Object.hasOwn(project, name) ? project[name] : undefined
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : ""
}
