/** `site-a` to `site-z`, then `site-27` and so on; `index` from 0. */
export function siteName(index: number): string {
  return `site-${index < 26 ? String.fromCodePoint(97 + index) : index + 1}`
}

const MACHINES = [
  { cpus: 2, ram: 4 },
  { cpus: 8, ram: 32 },
  { cpus: 28, ram: 64 },
]

/** An invented cloud in the exporter's format, always the same for a site: three projects of one to three machines. */
export function inventCloud(site: string): string {
  const projects = MACHINES.map(({ cpus, ram }, index) => {
    const name = `${site}-project-${index + 1}`
    const machines = Array.from({ length: index + 1 }, () => `  { cpus = ${cpus}, ram = ${ram}, existence = true },\n`)
    return `
[[elixir.projects]]
project_name = "${name}"
project_id = "${name}"
machines = [
${machines.join("")}]
`
  })
  return `[elixir]\ndomain_id = "${site}-domain"\n${projects.join("")}`
}
