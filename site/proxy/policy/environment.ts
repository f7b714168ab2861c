import { type FoundToken, parseTokens, sha256, weaknessOf } from "#core/auth/secrets.ts"
import { Faults } from "#core/config/faults.ts"
import { explain, FedstackError, UsageError } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { BOUND_KEYS, boundsOf, type GivenBounds } from "#core/promql/bounds.ts"
import type { SharedSelector } from "#core/promql/authorize.ts"
import { compile } from "#core/promql/compiled.ts"
import { sharesEverything } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector } from "#core/promql/selector.ts"
import type { Client } from "#core/federation/client.ts"
import type { Policy } from "./types.ts"
import type { PolicyLoader } from "#core/federation/open-policy.ts"

/** The policy that flags and variables make, without a policy file. */
export interface EnvironmentPolicy {
  /** Of PORTAL_AUTH_TOKEN. */
  readonly token: string | undefined
  readonly tokenFile: string | undefined
  readonly allow: readonly string[]
  readonly upstream: URL
  /** Seconds. */
  readonly upstreamTimeout: number
  readonly responseBytes: number
  /** What is not given is the default, as far as it can be reached with what is. */
  readonly bounds?: GivenBounds
}

/** As the original: one client, without limits but those of a response. */
const NAME = "portal"
const MEMORY = 256 * 2 ** 20

export function environmentPolicy(given: EnvironmentPolicy): PolicyLoader<Policy> {
  const nothing = (): Promise<void> => Promise.resolve()
  return { load: (read) => Promise.try(() => loadEnvironment(given, read)), applied: nothing, close: nothing }
}

/** The policy of a proxy with one client. Throws UsageError with every fault. */
function loadEnvironment(given: EnvironmentPolicy, read: ReadText): Policy {
  const faults = new Faults()
  const shared = readAllowed(given.allow, faults)
  const tokens = findTokens(given, read, faults)
  if (/[?#]/.test(given.upstream.href)) {
    faults.add("--upstream", "must not have a query or a fragment; a path prefix is fine")
  }
  const { bounds, unreachable } = boundsOf(given.bounds ?? {})
  for (const { key, problem } of unreachable) faults.add(`--limit.${BOUND_KEYS[key].replaceAll("_", "-")}`, problem)
  faults.orThrow(UsageError)
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
      selectors: bounds.selectors,
      selectorCharacters: bounds.characters,
    },
    where: "--allow",
  }
  const everything = shared.filter(({ selector }) => sharesEverything(compile(selector)))
  return {
    tokens: tokens.map(({ token, where }) => ({ sha256: sha256(token), owner: client, where })),
    issuers: [],
    certificates: [],
    clients: [client],
    upstreams: [new URL(given.upstream.href.replace(/\/+$/, ""))],
    accesses: new Map(),
    path: "/federate",
    reuse: 0,
    memory: MEMORY,
    requestBytes: bounds.bytes,
    // no faults, so that what ran with the original runs here
    warnings: [
      ...tokens.flatMap(({ token, where }) => {
        const message = weaknessOf(token)
        return message === undefined ? [] : [{ where, message }]
      }),
      ...everything.map(({ selector, where }) => ({ where, message: `${printSelector(selector)} SHARES EVERYTHING` })),
    ],
  }
}

function findTokens({ token, tokenFile }: EnvironmentPolicy, read: ReadText, faults: Faults): readonly FoundToken[] {
  const variable = "PORTAL_AUTH_TOKEN"
  if (tokenFile !== undefined) {
    // an empty variable is how a compose file takes it away
    const text = token ? undefined : faults.collect(() => read(tokenFile))
    if (token) faults.add(variable, "is set and --token-file is given; keep one of the two")
    return text === undefined ? [] : parseTokens(text, tokenFile, faults)
  }
  if (token === undefined) {
    faults.add(variable, "is not set; put the token there that the portal sends, or use --token-file or --policy")
  } else if (token.trim().includes("\n")) {
    faults.add(variable, "holds several lines; use --token-file for several tokens")
  } else {
    return parseTokens(token.trim(), variable, faults)
  }
  return []
}

function readAllowed(texts: readonly string[], faults: Faults): readonly SharedSelector[] {
  if (texts.length === 0) faults.add("--allow", "names no selector; say which series are shared")
  return texts.flatMap((one): readonly SharedSelector[] => {
    try {
      const selector = parseSelector(one)
      const { invalid } = compile(selector)
      if (selector.length > 0 && invalid === undefined) return [{ selector, where: "--allow" }]
      faults.add("--allow", invalid ?? `${one} has no matcher; say which series are shared`)
    } catch (error) {
      if (!(error instanceof FedstackError)) throw error
      faults.add("--allow", explain(error))
    }
    return []
  })
}
