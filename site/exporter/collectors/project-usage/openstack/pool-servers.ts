import type { Pool } from "../simple-vm.ts"
import { isItem, unexpectedResponse, textIn } from "./response.ts"
import type { Api } from "./api.ts"
import { PAGE, readPages } from "./pages.ts"
import type { Tags } from "./tags.ts"

const PATH = "/servers/detail"

/** Reads the tags of all servers of the pool that live. Nothing is remembered of a list that could not be read whole. */
export async function readPoolTags(
  api: Api,
  pool: Pool,
  tags: Tags,
  { signal, limit = PAGE }: { readonly signal: AbortSignal; readonly limit?: number },
): Promise<void> {
  const refuse = unexpectedResponse("compute", PATH)
  const query = { all_tenants: "True", project_id: pool.projectId }
  let found = new Map<string, string | undefined>()
  await readPages(api, { service: "compute", path: PATH, query, key: "servers", limit }, signal, () => {
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
    }
  })
  for (const [id, tag] of found) tags.saw(id, tag)
}
