import { type Domain, type DomainFilter, isWanted, type Project } from "../cloud.ts"
import type { Api } from "./api.ts"
import { type Item, isItem, listIn, unexpectedResponse, textIn } from "./response.ts"

/** Pages of a list: an identity service that always has a next one is faulty. */
const PAGES = 10_000

/** The domains of a cloud and the projects of those that are wanted, in the order of the list, disabled ones too. */
export async function listProjects(
  api: Api,
  { filter, properties }: { readonly filter: DomainFilter; readonly properties: readonly string[] },
  signal: AbortSignal,
): Promise<{ readonly domains: readonly Domain[]; readonly projects: readonly Project[] }> {
  const [allDomains, allProjects] = await Promise.all([
    readAll(api, "domains", signal),
    readAll(api, "projects", signal),
  ])
  const named = (fields: Item, refuse: (reason: string) => Error): Domain => ({
    id: textIn(fields, "id", refuse),
    name: textIn(fields, "name", refuse),
  })
  const domains = allDomains.map((fields) => named(fields, unexpectedResponse("identity", "/domains")))
  const refuse = unexpectedResponse("identity", "/projects")
  const byId = new Map(domains.map((domain) => [domain.id, domain]))
  const wanted = allProjects.flatMap((fields) => {
    // that of a project that was made after the domains were listed comes with the next update
    const domain = byId.get(textIn(fields, "domain_id", refuse))
    if (domain === undefined || !isWanted(domain, filter)) return []
    const { id, name } = named(fields, refuse)
    const [domainId, domainName] = [domain.id, domain.name]
    return [{ key: id, id, name, domainId, domainName, properties: propertiesOf(fields, properties) }]
  })
  // one can be on two pages, if another was made meanwhile
  return { domains, projects: [...new Map(wanted.map((project) => [project.id, project])).values()] }
}

/** Follows `links.next`, of which only the query counts. */
async function readAll(api: Api, key: "domains" | "projects", signal: AbortSignal): Promise<readonly Item[]> {
  const path = `/${key}`
  const refuse = unexpectedResponse("identity", path)
  const all: Item[] = []
  const requested = new Set<string>()
  let search = ""
  while (!requested.has(search)) {
    if (requested.size === PAGES) throw refuse(`it has more than ${PAGES} pages`)
    requested.add(search)
    const response = await api.get("identity", path, { query: Object.fromEntries(new URLSearchParams(search)), signal })
    for (const item of listIn(response, key, refuse)) all.push(item)
    const { links, truncated } = isItem(response) ? response : {}
    const next = isItem(links) ? links.next : undefined
    if (typeof next !== "string" && truncated === true)
      throw refuse("it is cut off at a largest length. Raise list_limit in the configuration of Keystone")
    if (typeof next !== "string") return all
    search = next.split("?", 2)[1] ?? ""
  }
  throw refuse("its pages come back to one that was read before")
}

/**
 * The properties of a project under the names that are wanted: by a tag `NAME=value` or `NAME:value`, by a bare tag `NAME`
 * ("true"), else by its property of that name, such as `enabled`. Empty where it has none.
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
