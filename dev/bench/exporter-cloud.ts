/** One project of the measured cloud, with the values that an exporter must show for it. */
export interface Row {
  readonly labels: Readonly<Record<string, string>>
  readonly vcpuHours: number
  readonly gibHours: number
}

const MACHINES_PER_PROJECT = 5
const DOMAIN = { domain_id: "5d0bc4b2f1a94d6e8c1fe1a3a5c7e902", domain_name: "elixir" }

/** A dummy cloud whose machines are all shut down, so that its usage does not change while it is measured. */
export function makeCloud(projects: number): { readonly toml: string; readonly rows: readonly Row[] } {
  const tables = [`[${DOMAIN.domain_name}]\ndomain_id = "${DOMAIN.domain_id}"\n`]
  const rows: Row[] = []
  for (let index = 0; index < projects; index += 1) {
    const labels = {
      ...DOMAIN,
      project_id: (index * 2_654_435_761).toString(16).padStart(32, "0"),
      project_name: `group-${index}`,
    }
    let vcpuHours = 0
    let gibHours = 0
    const machines = Array.from({ length: MACHINES_PER_PROJECT }, (_, machine) => {
      const cpus = 2 ** ((index + machine) % 6)
      const days = 1 + ((index * 7 + machine) % 28)
      vcpuHours += cpus * days * 24
      gibHours += 4 * cpus * days * 24
      const day = String(days + 1).padStart(2, "0")
      const existence = `[2025-01-01T00:00:00, 2025-01-${day}T00:00:00]`
      return `  {cpus = ${cpus}, ram = ${4 * cpus}, existence = ${existence}, instance_id = "${index}-${machine}"},\n`
    })
    const { project_id, project_name } = labels
    tables.push(
      `[[elixir.projects]]\nproject_id = "${project_id}"\nproject_name = "${project_name}"\nmachines = [\n${machines.join("")}]\n`,
    )
    rows.push({ labels, vcpuHours, gibHours })
  }
  return { toml: tables.join("\n"), rows }
}
