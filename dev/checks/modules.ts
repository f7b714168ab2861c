import { readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { sources } from "./plan.ts"

/** Which files a file imports, types included; paths from the root of the project. */
export type ModuleGraph = ReadonlyMap<string, readonly string[]>

/** Of production: without tests, what tests share, and dev/. */
export function productionModules(root: string): ModuleGraph {
  const files = sources(root, "{cli.ts,commands.ts,{core,site,portal}/**/*.ts}").filter((file) => !isForTests(file))
  return new Map(files.map((file) => [file, importsOf(file, readFileSync(join(root, file), "utf8"))]))
}

/** Tests, and what tests share, in testing.ts or x.testing.ts. */
export function isForTests(file: string): boolean {
  return /(?:\.test|[./]testing)\.ts$/.test(file)
}

export function importsOf(file: string, text: string): readonly string[] {
  const specifiers = text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"([#.]?[^"]+\.ts)"/g)
  return [...specifiers].map(([, name = ""]) =>
    name.startsWith("#core/") ? name.replace("#core/", "core/") : normalize(join(dirname(file), name)),
  )
}

/** Files that import each other, directly or over others: each group sorted by name (Tarjan's components of more than one). */
export function circles(graph: ModuleGraph): readonly (readonly string[])[] {
  const found: string[][] = []
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const path: string[] = []
  const visit = (file: string): number => {
    order.set(file, order.size)
    lowest.set(file, order.size - 1)
    path.push(file)
    for (const target of graph.get(file) ?? []) {
      const reached = !order.has(target) ? visit(target) : path.includes(target) ? (order.get(target) ?? 0) : Infinity
      lowest.set(file, Math.min(lowest.get(file) ?? 0, reached))
    }
    if (lowest.get(file) === order.get(file)) {
      const group = path.splice(path.indexOf(file))
      if (group.length > 1 || graph.get(file)?.includes(file)) found.push(group.toSorted())
    }
    return lowest.get(file) ?? 0
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return found
}

/** Folders below a component that others use too. They import no component. */
const SHARED = ["portal/sites", "portal/tenancy/tenants", "portal/tenancy/wire"]

/** The folder of the component that a file belongs to: the nearest one with a main.ts. Undefined for what components share. */
export function componentOf(file: string, graph: ModuleGraph): string | undefined {
  if (SHARED.some((folder) => file.startsWith(`${folder}/`))) return undefined
  for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) {
    if (graph.has(`${folder}/main.ts`)) return folder
  }
  return undefined
}

export interface Room {
  readonly name: string
  readonly purpose: string
}

/** The rows of the table of core's rooms in docs/architecture.md, lowest first: `| core/log | what it is for |`. */
export function roomsIn(architecture: string): readonly Room[] {
  return [...architecture.matchAll(/^\| `core\/([\w-]+)\/` \| (.*?) \|$/gm)].map(([, name = "", purpose = ""]) => ({
    name,
    purpose,
  }))
}

/** `core/http/client.ts` is in the room `http`; files of core itself are in none. */
export function roomOf(file: string): string | undefined {
  return /^core\/([\w-]+)\//.exec(file)?.[1]
}
