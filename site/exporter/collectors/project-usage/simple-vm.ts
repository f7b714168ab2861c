import type { Project, Server } from "./cloud.ts"

/** A project that is shared by many small ones: each of its servers names its real project in a metadata tag. */
export interface Pool {
  readonly projectId: string
  readonly tag: string
}

/**
 * The pool is replaced by one project per value of the tag, in the order of their first servers. Untagged servers are
 * left out. The parts are remembered by their names, as they have nothing else.
 */
export function splitPool(projects: readonly Project[], pool: Pool | undefined): readonly Project[] {
  if (pool === undefined) return projects
  return projects.flatMap((project) => {
    if (project.id !== pool.projectId) return [project]
    const groups = new Map<string, Server[]>()
    for (const server of project.servers) {
      if (!Object.hasOwn(server.metadata, pool.tag)) continue
      const name = server.metadata[pool.tag] ?? ""
      const group = groups.get(name)
      if (group === undefined) groups.set(name, [server])
      else group.push(server)
    }
    return [...groups].map(([name, servers]) => ({ ...project, key: `${project.key}/${name}`, name, servers }))
  })
}
