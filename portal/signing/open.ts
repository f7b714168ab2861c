import { Gauge, type Registry } from "prom-client"
import { closeAll } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { pause } from "#core/retry/backoff.ts"
import type { Accepted, AcceptedSite } from "../federation/accepted.ts"
import type { WrittenUrl } from "./external-url.ts"
import type { ProbeTarget } from "../diagnosis/probe/visit.ts"
import type { SigningProblem } from "../status/signing-banner.ts"
import { openKeeper } from "./keeper.ts"
import { type Key, publicKey } from "./key.ts"
import { BOUND, LEAD, nextKey, signingKey } from "./key-ring.ts"
import { mint } from "./mint.ts"
import { type MintedSite, openMinted } from "./minted.ts"
import { keyFolderOf, type TokenSettings } from "./settings.ts"
import { withTokens } from "./token-files.ts"
import { openTrial } from "./trial.ts"

export interface TokensOptions extends TokenSettings {
  readonly configDir: string
  readonly webExternalUrl: WrittenUrl | undefined
  readonly log: Logger
  readonly registry: Registry
  /** Milliseconds of Unix time. */
  readonly now: () => number
  /** What requests the sites that are listed; none while sites.yaml is not known. */
  readonly targets: () => readonly ProbeTarget[]
  /** Called when tokens were renewed, to bring them to Prometheus. */
  readonly renewed: () => void
}

export type Tokens = Awaited<ReturnType<typeof openTokens>>

/** Seconds between two looks at what is due. */
const EVERY = 1
/** Seconds that a token lives by which a key is tried. */
const TRIAL = 60

/** Signs the tokens of the sites that are listed with `jwt`, and keeps the keys for that from the first such site on. */
export async function openTokens(options: TokensOptions) {
  const { configDir, webExternalUrl, tokenLifetime: lifetime, log, registry, now, renewed } = options
  const claims = { issuer: webExternalUrl?.written ?? "", subject: webExternalUrl?.host ?? "" }
  const trial = openTrial(() =>
    options.targets().flatMap((target) => {
      const { jwt, paused } = target.site
      if (jwt === undefined || paused !== undefined) return []
      const signedBy = async (key: Key) => (await mint(key, { ...claims, ...jwt }, TRIAL, now() / 1000)).token
      return [{ target, signedBy }]
    }),
  )
  const keeper = await openKeeper({
    ...{ folder: keyFolderOf(options), configDir, alg: options.tokenAlgorithm, lifetime, keyAge: options.tokenKeyAge },
    ...{ isRefused: trial.isRefused, log, registry },
  })
  const minted = openMinted(claims, lifetime)
  const ending = new AbortController()
  const report = logChanges((reason?: string) => {
    if (reason === undefined) log.info({}, "tokens are signed again")
    else log.error({ reason }, "tokens cannot be renewed, keeping those before until they end")
  })
  const reportRefusing = logChanges((sites?: string) => {
    if (sites === undefined) log.info({}, "no site refuses the next signing key any more")
    else log.warn({ sites }, "sites do not know the next signing key yet, which waits for them up to a day")
  })
  keyMetrics(registry, () => keeper.ring()?.keys ?? [])
  let isWanted = false
  let last: Promise<void> = Promise.resolve()

  async function step(): Promise<void> {
    if (!isWanted && keeper.ring() === undefined) return
    try {
      const seconds = now() / 1000
      await keeper.tick(seconds)
      const ring = keeper.ring()
      const key = ring && signingKey(ring)
      const next = ring && nextKey(ring)
      trial.tick(key && next, key, seconds)
      reportRefusing(trial.refusing().join(", ") || undefined)
      if (key !== undefined && (await minted.renew(key, seconds))) renewed()
      report(undefined)
    } catch (error) {
      report(explain(error))
    }
  }
  const stepNow = (): Promise<void> => (last = last.then(step))

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      await pause(EVERY, ending.signal)
      if (!ending.signal.aborted) await stepNow()
    }
  }
  let running: Promise<void> | undefined

  return {
    /** Takes up the tokens that an earlier process signed: they are as good as new ones, and may be all there are. */
    seed(accepted: Accepted | undefined): void {
      for (const site of accepted?.sites ?? []) {
        const file = accepted?.files.find(({ path }) => path === site.secretFile)
        const wanted = mintedSite(site)
        if (wanted !== undefined && file !== undefined) minted.seed(wanted, file.content)
      }
    },
    /** These sites are listed from now on. Resolves when they have their tokens, or it is known that there are none yet. */
    async list(sites: readonly AcceptedSite[]): Promise<void> {
      // of a paused site too: it is to know the keys before it is scraped
      isWanted = sites.some(({ jwt }) => jwt !== undefined)
      minted.list(sites.flatMap((site) => mintedSite(site) ?? []))
      await stepNow()
      running ??= run()
    },
    into: (accepted: Accepted, renames: boolean): Accepted => withTokens(accepted, minted.tokenOf, renames),
    tokenOf: minted.tokenOf,
    /** As they are published (RFC 7517). */
    jwks: () => keeper.published().map(publicKey),
    /** What people are to know of the keys; undefined where all is well. */
    problem(): SigningProblem | undefined {
      const fault = keeper.fault()
      if (fault !== undefined) return { kind: "unusable", reason: fault }
      const ring = keeper.ring()
      const next = ring && nextKey(ring)
      if (ring === undefined || next === undefined) return undefined
      const at = (seconds: number): Date => new Date(seconds * 1000)
      if (signingKey(ring) === undefined) return { kind: "lost", until: at(next.created + LEAD) }
      const sites = trial.refusing()
      return sites.length === 0 ? undefined : { kind: "refused", sites, latest: at(next.created + BOUND) }
    },
    /** Does what is due now; it is done every second by itself. */
    look: stepNow,
    reload: () => keeper.reload(),
    async close(): Promise<void> {
      ending.abort()
      await closeAll([{ close: () => running ?? Promise.resolve() }, { close: () => last }, trial, keeper])
    },
  }
}

const mintedSite = ({ name, jwt, paused }: AcceptedSite): MintedSite | undefined =>
  jwt === undefined || paused !== undefined ? undefined : { name, ...jwt }

function keyMetrics(registry: Registry, keys: () => readonly { readonly state: string }[]): void {
  const gauge = new Gauge({
    name: "fedstack_portal_signing_keys",
    help: "Keys for tokens that the portal signs, by what they do: sign, wait to be known, or verify what they signed.",
    labelNames: ["state"],
    registers: [],
    collect() {
      for (const state of ["signing", "next", "retired"])
        this.set({ state }, keys().filter((key) => key.state === state).length)
    },
  })
  registry.registerMetric(gauge)
}
