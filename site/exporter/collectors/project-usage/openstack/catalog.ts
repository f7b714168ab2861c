import { type Access, versioned } from "./access.ts"
import type { Service } from "./api.ts"
import { ServiceError } from "./errors.ts"
import type { Catalog } from "./token.ts"

/** Where a catalog leads to. */
export interface ServiceEndpoints {
  /** Without a slash at the end. */
  readonly urls: Readonly<Record<Service, string>>
  /** Regions with a compute service, if no region was named and there are several: the first was chosen. */
  readonly choice: readonly string[]
}

type CatalogEndpoint = Catalog[number]["endpoints"][number]

/** Throws ServiceError if there is no such region or no compute service. */
export function endpointsOf(catalog: Catalog, access: Access): ServiceEndpoints {
  const { overrides, region } = access
  const identities = endpointsIn(catalog, "identity").filter((endpoint) => endpoint.interface === access.interface)
  // one identity service often serves all regions and stands in the catalog for one of them only
  const identity = identities.find((endpoint) => region === undefined || regionOf(endpoint) === region) ?? identities[0]
  const identityUrl = overrides.identity ?? (identity === undefined ? access.authUrl : versioned(identity.url))
  if (overrides.compute !== undefined)
    return { urls: { compute: overrides.compute, identity: identityUrl }, choice: [] }
  const { endpoint, regions } = computeOf(catalog, access)
  const choice = region === undefined && regions.length > 1 ? regions : []
  return { urls: { compute: endpoint.url.replace(/\/+$/, ""), identity: identityUrl }, choice }
}

function computeOf(catalog: Catalog, { region, interface: wanted, scope, authUrl }: Access) {
  const all = endpointsIn(catalog, "compute")
  if (all.length === 0) {
    const known = catalog.map(({ type }) => type)
    const by = scope === undefined || "project" in scope ? undefined : "system" in scope ? "system" : "domain"
    const hint =
      by === undefined
        ? ". Set OS_COMPUTE_ENDPOINT_OVERRIDE to its address, or correct the catalog"
        : `. With a ${by} scope, endpoints whose address holds a project are left out: sign in to a project, or set OS_COMPUTE_ENDPOINT_OVERRIDE`
    const has = known.length === 0 ? "is empty" : `has only ${known.toSorted().join(", ")}`
    throw new ServiceError("no_endpoint", `the catalog of ${authUrl} has no compute service: it ${has}${hint}`)
  }
  const there = region === undefined ? all : all.filter((endpoint) => regionOf(endpoint) === region)
  if (there.length === 0) {
    const message = `the cloud at ${authUrl} has no region ${region} with a compute service. It has ${listed(all.map(regionOf))}: set OS_REGION_NAME`
    throw new ServiceError("no_endpoint", message)
  }
  const matching = there.filter((endpoint) => endpoint.interface === wanted)
  const [endpoint] = matching
  if (endpoint === undefined) {
    const has = listed(there.map((other) => other.interface))
    const message = `the compute service of the cloud at ${authUrl} has no ${wanted} endpoint. It has ${has}: set OS_INTERFACE`
    throw new ServiceError("no_endpoint", message)
  }
  return { endpoint, regions: [...new Set(matching.map(regionOf))] }
}

const endpointsIn = (catalog: Catalog, type: Service): readonly CatalogEndpoint[] =>
  catalog.filter((entry) => entry.type === type).flatMap(({ endpoints }) => endpoints)

const regionOf = (endpoint: CatalogEndpoint): string => endpoint.region_id ?? endpoint.region ?? ""

const listed = (names: readonly string[]): string => [...new Set(names)].toSorted().join(", ")
