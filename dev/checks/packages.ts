/** The parts of package-lock.json (version 3) that are read here. The entry "" is the project itself. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly version?: string
  readonly license?: string
  readonly dev?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** SPDX names of the licences that what we ship may have: permissive, without conditions on our own code. */
const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
])

/** The packages of the production tree whose licence is not allowed or not named. */
export function licenceFaults(lock: Lock): string[] {
  return Object.entries(lock.packages)
    .filter(([path, { dev, license }]) => path !== "" && dev !== true && !isAllowed(license ?? ""))
    .map(([path, { version, license }]) => {
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
      return `${name} ${version}: ${license ?? "no licence named"} is not one of ${[...ALLOWED].join(", ")}`
    })
}

/** An SPDX expression without nested groups: of alternatives one must be allowed, of what is joined all. */
function isAllowed(expression: string): boolean {
  return expression
    .replaceAll(/[()]/g, "")
    .split(" OR ")
    .some((all) => all.split(" AND ").every((name) => ALLOWED.has(name.trim())))
}

/** Direct dependencies without a row in docs/dependencies.md, and rows (`| \`name\` | …`) without a dependency. */
export function undocumented(lock: Lock, text: string): string[] {
  const { dependencies, devDependencies, optionalDependencies } = lock.packages[""] ?? {}
  const direct = new Set(Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }))
  const rows = [...text.matchAll(/^\|((?: *`[^`]+`,?)+) *\|/gm)]
  const named = new Set(rows.flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name)))
  return [
    ...[...direct.difference(named)].map((name) => `docs/dependencies.md has no row with the reason for ${name}`),
    ...[...named.difference(direct)].map(
      (name) => `docs/dependencies.md has a row for ${name}, which package.json does not name`,
    ),
  ]
}
