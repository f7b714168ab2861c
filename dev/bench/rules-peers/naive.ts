import { readFileSync } from "node:fs"
import { parse, stringify } from "yaml"
import type { BenchResource } from "./groups.ts"

/**
 * One cycle as the original's updater does it: all resources, the rules of each tenant, and what differs by its text is
 * written, one after the other. Arguments: the ruler and a file of resources. Prints what it took and how many it wrote.
 */
const [, , ruler = "", file = ""] = process.argv

const begin = performance.now()
const resources = JSON.parse(readFileSync(file, "utf8")) as readonly BenchResource[]
let writes = 0
for (const tenant of new Set(resources.flatMap(({ spec }) => spec.tenants))) {
  const headers = { "x-scope-orgid": tenant }
  const response = await fetch(`${ruler}/api/v1/rules`, { headers })
  const text = await response.text()
  if (response.status !== 200 && response.status !== 404) throw new Error(`the ruler responded ${response.status}`)
  const listed = response.status === 404 ? {} : (parse(text) as Record<string, readonly { readonly name: string }[]>)
  const present = new Map(
    Object.entries(listed).flatMap(([namespace, groups]) =>
      groups.map((group) => [`${namespace}/${group.name}`, stringify(group, { sortMapEntries: true })] as const),
    ),
  )
  for (const { metadata, spec } of resources) {
    if (!spec.tenants.includes(tenant)) continue
    for (const group of spec.groups) {
      if (present.get(`${metadata.namespace}/${group.name}`) === stringify(group, { sortMapEntries: true })) continue
      const url = `${ruler}/api/v1/rules/${metadata.namespace}`
      const written = await fetch(url, { method: "POST", headers, body: stringify(group) })
      await written.text()
      if (written.status !== 202) throw new Error(`the ruler responded ${written.status}`)
      writes += 1
    }
  }
}
const seconds = (performance.now() - begin) / 1000
const { user, system } = process.cpuUsage()
process.stdout.write(JSON.stringify({ seconds, cpu: (user + system) / 1e6, writes }))
