import { forbiddenError, identityError } from "./errors.ts"
import { type Identity, type IdSource, mayLackRegion, type Miss, type Named } from "./identity.ts"
import { checkIdentity } from "./render.ts"
import type { Source, Sources } from "./sources.ts"

interface Wanted {
  readonly idSource: IdSource
  /** Given by the user: none is looked for. */
  readonly region: string | undefined
}

/** Id and region from the sources in their order. Throws ExitError where one of them is missing. */
export async function readIdentity(sources: Sources, { idSource, region: given }: Wanted): Promise<Identity> {
  const { infrastructure, machine, clusterVersion, kubeSystem, node } = sources
  const openshift = [infrastructure, machine]
  const orders = {
    auto: { ids: openshift, regions: openshift },
    infrastructure: { ids: [infrastructure], regions: openshift },
    machine: { ids: [machine], regions: [machine] },
    clusterversion: { ids: [clusterVersion], regions: openshift },
    "kube-system": { ids: [kubeSystem], regions: [node] },
  } satisfies Record<IdSource, { ids: readonly Source[]; regions: readonly Source[] }>
  let order: { readonly ids: readonly Source[]; readonly regions: readonly Source[] } = orders[idSource]
  let id = await first(order.ids, "id")
  if (!("value" in id) && idSource === "auto" && (await sources.isPlain())) {
    order = orders["kube-system"]
    id = await first(order.ids, "id")
  }
  if (!("value" in id)) throw missing(id, "cluster id")
  checkIdentity("cluster id", id.value)
  const region = given === undefined ? await first(order.regions, "region") : { value: given, from: "--region" }
  const platform = await first(
    [...new Set([...order.ids, ...order.regions])].filter((one) => one !== node),
    "platform",
    false,
  )
  const platformName = "value" in platform ? platform.value : undefined
  if ("value" in region) checkIdentity("region", region.value)
  else if (!mayLackRegion(platformName, region)) throw missing(region, "region", "; --region sets it")
  return { id, platform: platformName, region }
}

function missing({ reason, forbidden }: Miss, what: string, advice = "") {
  return forbidden ? forbiddenError([reason]) : identityError(`the ${what} was not found: ${reason}${advice}`)
}

/** From the first source that has it; `strict` is false for what is only nice to know, and read already. */
async function first(
  sources: readonly Source[],
  key: "id" | "region" | "platform",
  strict = true,
): Promise<Named | Miss> {
  const misses: Miss[] = []
  for (const one of sources) {
    const facts = await one.read()
    if ("reason" in facts) misses.push(facts)
    else if (facts[key] !== undefined) return { value: facts[key], from: one.name }
    else if (strict)
      misses.push({ reason: `${one.name} has no ${key === "id" ? "cluster id" : key}`, forbidden: false })
  }
  return {
    reason: misses.map(({ reason }) => reason).join("; "),
    forbidden: misses.some(({ forbidden }) => forbidden),
  }
}
