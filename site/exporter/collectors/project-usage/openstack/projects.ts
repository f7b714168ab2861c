import { type Domain, type DomainFilter, isWanted, type Project } from "../cloud.ts"
import type { Api } from "./api.ts"
import { domainIn, forbiddenAs, isForbidden, ownDomainsOf, readDomain, UNKNOWN, unseen } from "./domains.ts"
import { ServiceError } from "./errors.ts"
import { type Item, isItem, listIn, unexpectedResponse, textIn } from "./response.ts"

/** Pages of a list: an identity service that always has a next one is faulty. */
const PAGES = 10_000

interface ListOptions {
  readonly filter: DomainFilter
  readonly properties: readonly string[]
}

interface Listed {
  readonly domains: readonly Domain[]
  readonly projects: readonly Project[]
}

/**
 * The domains of a cloud and the projects of those that are wanted, in the order of the list, disabled ones too. Who may not
 * list domains gets those of the domain with the filter's id, or of its own domains where the filter names only these.
 */
export async function listProjects(
  api: Api,
  { filter, properties }: ListOptions,
  signal: AbortSignal,
): Promise<Listed> {
  const { id } = filter
  if (id !== undefined) {
    const [domain, items] = await Promise.all([readDomain(api, id, signal), readProjects(api, id, signal)])
    if (domain?.name === UNKNOWN && items.length === 0) throw await unseen(api, id, signal)
    if (domain !== undefined) return select([domain], items, { filter, properties })
    // those that there are, for the message
    const others = await readAll(api, "/domains", {}, signal).catch(forbiddenAs([]))
    return { domains: others.map(domainIn), projects: [] }
  }
  try {
    const lists = [readAll(api, "/domains", {}, signal), readAll(api, "/projects", {}, signal)] as const
    const [all, items] = await Promise.all(lists)
    return select(all.map(domainIn), items, { filter, properties })
  } catch (error) {
    const own = isForbidden(error) ? await ownDomainsOf(api, filter, signal) : undefined
    if (own === undefined) throw error
    const items = await Promise.all(own.map((domain) => readProjects(api, domain.id, signal)))
    return select(own, items.flat(), { filter, properties })
  }
}

/** A role on a domain counts only where that domain is signed in to, and for Nova a project has to be. */
async function readProjects(api: Api, domainId: string, signal: AbortSignal): Promise<readonly Item[]> {
  const query = { domain_id: domainId }
  try {
    return await readAll(api, "/projects", query, signal)
  } catch (error) {
    if (!isForbidden(error)) throw error
    return readAll(api, "/projects", query, signal, domainId).catch((other: unknown) => {
      const isRefused = other instanceof ServiceError && /^(?:forbidden|unauthorized)$/.test(other.reason)
      throw isRefused ? error : other
    })
  }
}

function select(domains: readonly Domain[], items: readonly Item[], { filter, properties }: ListOptions): Listed {
  const refuse = unexpectedResponse("identity", "/projects")
  const byId = new Map(domains.map((domain) => [domain.id, domain]))
  const wanted = items.flatMap((fields) => {
    // that of a project that was made after the domains were listed comes with the next update
    const domain = byId.get(textIn(fields, "domain_id", refuse))
    if (domain === undefined || !isWanted(domain, filter)) return []
    const [id, name] = [textIn(fields, "id", refuse), textIn(fields, "name", refuse)]
    const [domainId, domainName] = [domain.id, domain.name]
    return [{ key: id, id, name, domainId, domainName, properties: propertiesOf(fields, properties) }]
  })
  // one can be on two pages, if another was made meanwhile
  return { domains, projects: [...new Map(wanted.map((project) => [project.id, project])).values()] }
}

/** Follows `links.next`, of which only the query counts. */
async function readAll(
  api: Api,
  path: "/domains" | "/projects",
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
  domain?: string,
): Promise<readonly Item[]> {
  const refuse = unexpectedResponse("identity", path)
  const all: Item[] = []
  const requested = new Set<string>()
  let search = new URLSearchParams(query).toString()
  while (!requested.has(search)) {
    if (requested.size === PAGES) throw refuse(`it has more than ${PAGES} pages`)
    requested.add(search)
    const response = await api.get("identity", path, {
      query: Object.fromEntries(new URLSearchParams(search)),
      domain,
      signal,
    })
    for (const item of listIn(response, path.slice(1), refuse)) all.push(item)
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
