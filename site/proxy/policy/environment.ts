import { type FoundTokens, readTokenFile, readTokens, sha256, weaknessOf } from "#core/auth/secrets.ts"
import { explain, type Fault, FedstackError, UsageError } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { compile, problemOf } from "#core/promql/compiled.ts"
import { sharesEverything } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { InvalidRegex } from "#core/promql/regex/undecidable.ts"
import { printSelector } from "#core/promql/selector.ts"
import type { Client, Policy, Shared } from "./types.ts"
import type { LoadedPolicy, PolicyLoader } from "./watch.ts"

/** What flags and variables say, without a policy file. */
export interface EnvironmentPolicy {
  /** Of PORTAL_AUTH_TOKEN. */
  readonly token: string | undefined
  readonly tokenFile: string | undefined
  readonly allow: readonly string[]
  readonly upstream: URL
  /** Seconds. */
  readonly upstreamTimeout: number
  readonly responseBytes: number
}

/** As the original: one client, without limits but those of an answer. */
const NAME = "portal"
const MEMORY = 256 * 2 ** 20

export function environmentPolicy(given: EnvironmentPolicy): PolicyLoader {
  const nothing = (): Promise<void> => Promise.resolve()
  return { load: (read) => Promise.try(() => loadEnvironment(given, read)), inForce: nothing, close: nothing }
}

/** The policy of a proxy with one client. Throws UsageError with every fault. */
function loadEnvironment(given: EnvironmentPolicy, read: ReadText): LoadedPolicy {
  const { shared, faults } = readAllowed(given.allow)
  const found = tokensOf(given, read)
  faults.push(...found.faults)
  if (/[?#]/.test(given.upstream.href)) {
    faults.push({ where: "--upstream", message: "must not have a query or a fragment; a path prefix is fine" })
  }
  if (faults.length > 0) throw new UsageError(faults)
  const client: Client = {
    name: NAME,
    shared,
    enforce: false,
    limits: {
      concurrent: Infinity,
      requestsPerSecond: Infinity,
      responseBytes: given.responseBytes,
      series: Infinity,
      upstreamTimeout: given.upstreamTimeout,
    },
    where: "--allow",
  }
  const policy: Policy = {
    tokens: found.tokens.map(({ token, where }) => ({ sha256: sha256(token), owner: client, where })),
    issuers: [],
    certificates: [],
    clients: [client],
    upstreams: [withoutSlash(given.upstream)],
    path: "/federate",
    reuse: 0,
    memory: MEMORY,
  }
  return {
    policy,
    // no faults, so that whoever comes from the original loses nothing
    warnings: [...weakTokens(found), ...wideSelectors(shared)],
  }
}

export function withoutSlash(url: URL): URL {
  const copy = new URL(url)
  copy.pathname = url.pathname.replace(/\/+$/, "")
  return copy
}

function weakTokens({ tokens }: FoundTokens): readonly Fault[] {
  return tokens.flatMap(({ token, where }) => {
    const weakness = weaknessOf(token)
    return weakness === undefined ? [] : [{ where, message: `${weakness}; take one of 'fedstack token new'` }]
  })
}

function wideSelectors(shared: readonly Shared[]): readonly Fault[] {
  return shared
    .filter(({ selector }) => sharesEverything(compile(selector)))
    .map(({ selector, where }) => ({ where, message: `${printSelector(selector)} SHARES EVERYTHING` }))
}

function tokensOf({ token, tokenFile }: EnvironmentPolicy, read: ReadText): FoundTokens {
  if (tokenFile === undefined) {
    if (token === undefined)
      return noTokens("is not set; put the token there that the portal sends, or use --token-file or --policy")
    if (token.trim().includes("\n")) return noTokens("holds several lines; use --token-file for several tokens")
    return readTokens(token.trim(), "PORTAL_AUTH_TOKEN")
  }
  // an empty variable is how a compose file takes it away
  if (token !== undefined && token !== "") return noTokens("is set and --token-file is given; keep one of the two")
  return readTokenFile(tokenFile, read)
}

function noTokens(message: string): FoundTokens {
  return { tokens: [], faults: [{ where: "PORTAL_AUTH_TOKEN", message }] }
}

function readAllowed(texts: readonly string[]): { shared: readonly Shared[]; faults: Fault[] } {
  const faults: Fault[] = []
  const shared = texts.flatMap((one): readonly Shared[] => {
    try {
      const selector = parseSelector(one)
      const invalid = compile(selector).matchers.filter(({ problem }) => problem("at most") instanceof InvalidRegex)
      const problem = problemOf(invalid, "at most")
      if (selector.length > 0 && problem === undefined) return [{ selector, where: "--allow" }]
      faults.push({ where: "--allow", message: problem ?? `${one} has no matcher; say which series are shared` })
    } catch (error) {
      if (!(error instanceof FedstackError)) throw error
      faults.push({ where: "--allow", message: explain(error) })
    }
    return []
  })
  if (texts.length === 0) faults.push({ where: "--allow", message: "names no selector; say which series are shared" })
  return { shared, faults }
}
