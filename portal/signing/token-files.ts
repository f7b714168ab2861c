import type { Accepted } from "../federation/accepted.ts"
import { mintedPath } from "../federation/credentials.ts"
import { CONFIG_FILE, type OutputFile } from "../federation/publish.ts"
import type { MintedToken } from "./mint.ts"

/**
 * The same files with the tokens of now. Under their own name where Prometheus reads a token at each scrape; `renames`: a new
 * token has a new name, and its job changes with it. A site without a token keeps the one that it has.
 */
export function withTokens(
  { sites, files }: Accepted,
  tokenOf: (site: string) => MintedToken | undefined,
  renames: boolean,
): Accepted {
  const moved = new Map<string, OutputFile>()
  const next = sites.map((site) => {
    const { name, jwt, secretFile, paused } = site
    const token = tokenOf(name)
    if (jwt === undefined || secretFile === undefined || token === undefined || paused !== undefined) return site
    const path = mintedPath(name, renames ? token.token : jwt.audience)
    moved.set(secretFile, { path, content: token.token, mode: 0o640 })
    return { ...site, secretFile: path }
  })
  if (moved.size === 0) return { sites, files }
  const kept = files.filter(({ path }) => !moved.has(path))
  const changed = kept.map((file) => (file.path === CONFIG_FILE ? withPaths(file, moved) : file))
  return { sites: next, files: [...moved.values(), ...changed] }
}

/** Paths stand in double quotes; sites.yaml cannot make another text that looks like one. */
const withPaths = (file: OutputFile, moved: ReadonlyMap<string, OutputFile>): OutputFile => ({
  ...file,
  content: file.content.replace(/(credentials_file: )"([^"]+)"/g, (whole, key: string, path: string) => {
    const to = moved.get(path)
    return to === undefined ? whole : `${key}"${to.path}"`
  }),
})
