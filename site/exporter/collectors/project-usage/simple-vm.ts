import type { Project } from "./cloud.ts"
import { partKey, type UsageSums } from "./usage.ts"

/** A project that is shared by many small ones: each of its servers names its real project in a metadata tag. */
export interface Pool {
  readonly projectId: string
  readonly tag: string
}

/** Replaces the pool by its parts, which are remembered by their names, as they have nothing else. */
export function splitPool(projects: readonly Project[], pool: Pool | undefined, sums: UsageSums): readonly Project[] {
  return projects.flatMap((project) => {
    if (project.id !== pool?.projectId) return [project]
    // the pool's quota is not that of each of its parts
    const parts = sums.partsOf(project.key)
    return parts.map((name) => ({ ...project, key: partKey(project.key, name), name, quota: undefined }))
  })
}
