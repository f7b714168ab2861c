import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { Registry } from "prom-client"
import { createIssuer } from "#core/auth/jwt/issuer.ts"
import { parseKeys } from "#core/auth/jwt/keys.ts"
import { sha256 } from "#core/auth/secrets.ts"
import { createLogger } from "#core/log/logger.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import type { Accepted } from "../federation/accepted.ts"
import { mintedPath } from "../federation/credentials.ts"
import { WrittenUrl } from "./external-url.ts"
import { openTokens, type Tokens } from "./open.ts"
import { ISSUER } from "./testing.ts"

const SITES = ["site-a", "site-b"]
/** Seconds: as our proxies look for keys, and how often Prometheus scrapes. */
const [REFRESH, COOL_DOWN, INTERVAL] = [300, 30, 30]

const sites = SITES.map((name) => ({
  name,
  interval: INTERVAL,
  jwt: { audience: name },
  secretFile: mintedPath(name, name),
}))
const PLAN: Accepted = {
  sites,
  files: [
    {
      path: "prometheus.yml",
      content: sites.map(({ secretFile }) => `credentials_file: "${secretFile}"\n`).join(""),
      mode: 0o640,
    },
  ],
}

/**
 * Two sites, a Prometheus and a portal, whose clock is moved by hand. The sites verify tokens as our proxies do. `keeps`:
 * Prometheus uses the first token of a job until its configuration changes.
 */
export async function openWorld(t: TestContext, keeps: boolean) {
  const folder = temporaryFolder(t)
  const [keys, out] = [join(folder.path, "keys"), join(folder.path, "out")]
  await mkdir(out)
  const lines: string[] = []
  let clock = 1_800_000_000
  let tokens: Tokens | undefined
  let accepted: Accepted | undefined
  let reloads = 0
  /** By the site: the path that its job names, and the token that Prometheus sends. */
  const jobs = new Map<string, { readonly path: string; readonly token: string | undefined }>()
  let published = ""

  function write(portal: Tokens): void {
    const next = portal.into(PLAN, keeps)
    const isSame = next.files.at(-1)?.content === accepted?.files.at(-1)?.content
    accepted = next
    if (!isSame) reloads += 1
    const contents = new Map(next.files.map(({ path, content }) => [path, content]))
    for (const { name, secretFile = "" } of next.sites) {
      const changed = jobs.get(name)?.path !== secretFile
      if (!keeps || changed) jobs.set(name, { path: secretFile, token: contents.get(secretFile) })
    }
  }

  async function start(about: { readonly keyAge?: number } = {}): Promise<Tokens> {
    const portal = await openTokens({
      configDir: out,
      tokenKeyDir: keys,
      webExternalUrl: new WrittenUrl(ISSUER),
      tokenLifetime: 3600,
      tokenAlgorithm: "ES256",
      tokenKeyAge: about.keyAge ?? 0,
      log: createLogger({ level: "info", format: "logfmt" }, "portal", (line) => lines.push(line)),
      registry: new Registry(),
      now: () => clock * 1000,
      targets: () => [],
      renewed: () => write(portal),
    })
    tokens = portal
    if (accepted !== undefined) portal.seed(accepted)
    await portal.list(sites)
    write(portal)
    return portal
  }

  const verifiers = new Map(
    SITES.map((name) => {
      let found: ReturnType<typeof parseKeys>["find"] | undefined
      let text = ""
      let looked = -Infinity
      const look = (): void => {
        looked = clock
        published = tokens === undefined ? published : JSON.stringify({ keys: tokens.jwks() })
        if (tokens === undefined || published === text || published === '{"keys":[]}') return
        found = parseKeys((text = published)).find
      }
      const issuer = createIssuer(
        { issuer: ISSUER, audience: [name], algorithms: ["ES256", "Ed25519"], clock_tolerance: 30 },
        { name: "portal" },
        {
          current: () => found,
          refresh() {
            if (clock - looked >= COOL_DOWN) look()
            return Promise.resolve()
          },
        },
      )
      return [name, { issuer, tick: () => clock - looked >= REFRESH && look() }] as const
    }),
  )

  /** `yes`, or why a site refuses a token now. */
  async function verdict(site: string, token: string | undefined): Promise<string> {
    if (token === undefined) return "no token"
    const hash = sha256(token).toString("base64")
    const result = await verifiers.get(site)?.issuer.verify(token, hash, new Date(clock * 1000))
    return result === undefined ? "no site" : "owner" in result ? "yes" : result.reason
  }

  async function end(): Promise<void> {
    await tokens?.close()
    tokens = undefined
  }
  t.after(end)

  return {
    keys,
    lines,
    start,
    reloads: () => reloads,
    now: () => clock,
    token: (site: string) => jobs.get(site)?.token,
    verdict,
    /** The portal goes away; also at the end of the test. */
    end,
    /** Scrapes both sites for so long; the reasons of scrapes that failed, each with the minute. */
    async pass(seconds: number): Promise<readonly string[]> {
      const lost: string[] = []
      const begin = clock
      for (; clock < begin + seconds; clock += INTERVAL) {
        await tokens?.look()
        for (const [name, { tick }] of verifiers) {
          tick()
          const result = await verdict(name, jobs.get(name)?.token)
          if (result !== "yes") lost.push(`${name} after ${Math.floor((clock - begin) / 60)} min: ${result}`)
        }
      }
      return lost
    },
  }
}
