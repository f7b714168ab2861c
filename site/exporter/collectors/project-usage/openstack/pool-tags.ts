import type { Logger } from "#core/log/logger.ts"
import type { CloudState } from "../accounts/state.ts"
import type { Pool } from "../simple-vm.ts"
import { isItem, unexpectedResponse, textIn } from "./response.ts"
import type { Api } from "./api.ts"
import { readPages } from "./pages.ts"

const PATH = "/servers/detail"

/** Days after which a server that neither lives nor has usage is forgotten. */
const DAYS = 7
const MS_PER_DAY = 86_400_000
/** Servers that are remembered at most; those that were not seen for the longest time go first. */
const MOST = 500_000

export type Tags = ReturnType<typeof rememberTags>

/**
 * The tags of a pool's servers. Nova forgets the metadata of a server when it is deleted, but not its usage: a tag is
 * remembered as long as the server has usage.
 */
export function rememberTags(
  known: CloudState["tags"],
  { now, log }: { readonly now: () => Date; readonly log: Logger },
) {
  const tags = new Map(Object.entries(known))
  return {
    /** Of a server that lives. Undefined if it has none, or no more. */
    saw(id: string, tag: string | undefined): void {
      if (tag === undefined) tags.delete(id)
      else tags.set(id, [tag, now().getTime()])
    },
    /** Of a server that has usage, whether it lives or not. */
    of(id: string): string | undefined {
      const tag = tags.get(id)?.[0]
      if (tag !== undefined) tags.set(id, [tag, now().getTime()])
      return tag
    },
    /** What is to be kept until the next time. */
    all(): CloudState["tags"] {
      const oldest = now().getTime() - DAYS * MS_PER_DAY
      for (const [id, [, seen]] of tags) if (seen < oldest) tags.delete(id)
      const surplus = tags.size - MOST
      if (surplus > 0) {
        log.error(
          { servers: surplus },
          "the pool has too many servers: the tags of those seen longest ago are forgotten",
        )
        const bySight = [...tags].toSorted(([, [, a]], [, [, b]]) => a - b)
        for (const [id] of bySight.slice(0, surplus)) tags.delete(id)
      }
      return Object.fromEntries(tags)
    },
  }
}

/** Reads the tags of all servers of the pool that live. Nothing is remembered of a list that could not be read whole. */
export async function readPoolTags(api: Api, pool: Pool, tags: Tags, signal: AbortSignal): Promise<void> {
  const refuse = unexpectedResponse("compute", PATH)
  const query = { all_tenants: "True", project_id: pool.projectId }
  let found = new Map<string, string | undefined>()
  await readPages(api, { path: PATH, query, key: "servers" }, signal, () => {
    found = new Map()
    return (servers) => {
      for (const server of servers) {
        const id = textIn(server, "id", refuse)
        if (textIn(server, "tenant_id", refuse) !== pool.projectId) continue
        const { metadata } = server
        if (!isItem(metadata)) throw refuse(`server ${id} has no metadata`)
        const tag = Object.hasOwn(metadata, pool.tag) ? metadata[pool.tag] : undefined
        found.set(id, typeof tag === "string" ? tag : undefined)
      }
      return servers.map((server) => textIn(server, "id", refuse))
    }
  })
  for (const [id, tag] of found) tags.saw(id, tag)
}
