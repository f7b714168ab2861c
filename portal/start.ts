import { randomBytes } from "node:crypto"
import { setFlagsFromString } from "node:v8"
import { closeAll, type Closable } from "#core/closable.ts"
import type { Context, Running } from "#core/component.ts"
import type { Fault } from "#core/errors.ts"
import { reloadOnChange, type Reloading } from "#core/files/reload.ts"
import { type ReadText, readText } from "#core/files/read-text.ts"
import { createRegistry, VERSION } from "#core/metrics/registry.ts"
import { openClientCredentials } from "#core/http/client-credentials.ts"
import { addAdmin, serve } from "#core/http/server.ts"
import type { WebValues } from "#core/http/settings.ts"
import { openAccess } from "./access/access.ts"
import { addAccess } from "./access/hook.ts"
import type { AccessSettings } from "./access/settings.ts"
import { type AcceptedPlans, openFederation } from "./federation/federation.ts"
import { type FederationPlan, loadPlan } from "./federation/load.ts"
import { portalMetrics } from "./federation/metrics.ts"
import { type FederationSettings, prometheusCredentials } from "./federation/settings.ts"
import type { ProbeTarget } from "./diagnosis/probe/visit.ts"
import { openDoor } from "./door/open.ts"
import type { DoorSettings } from "./door/settings.ts"
import { shardsOf } from "./federation/shards.ts"
import { openChanges } from "./sites-file/apply.ts"
import { infoMetrics } from "./status/info-metrics.ts"
import { listAll, listSites } from "./status/listed.ts"
import { openStatus } from "./status/status.ts"
import { timeMetrics } from "./status/time-metrics.ts"
import type { WrittenUrl } from "./signing/external-url.ts"
import { tokensInUse } from "./signing/in-use.ts"
import { openTokens } from "./signing/open.ts"
import { keyFolderOf, type TokenSettings } from "./signing/settings.ts"
import { addJwks, JWKS_PATH } from "./web/jwks.ts"
import { addPortalPages } from "./web/routes.ts"

type PortalSettings = FederationSettings &
  AccessSettings &
  TokenSettings &
  WebValues &
  DoorSettings & { readonly webExternalUrl: WrittenUrl | undefined; readonly pushUrl?: URL | undefined }

/** Of the files, or of an earlier process where they are faulty. */
type PlanInForce = FederationPlan | AcceptedPlans

/** All files as they are, but for one that would be another. */
const withText =
  (changed: string, text: string): ReadText =>
  (file, where) =>
    file === changed ? text : readText(file, where)

/**
 * Keeps Prometheus' configuration equal to the configuration files: reads them when they change, writes, reloads. Faults in
 * them are logged, and the previous configuration stays active, also that of an earlier process; where there is none, they
 * end the start with ConfigurationError. Throws CANNOT_LISTEN and UsageError.
 */
export async function startPortal(settings: PortalSettings, { log, env, now }: Context): Promise<Running> {
  // each poll of 1,000 sites makes garbage that is soon gone: collect it rather than grow
  setFlagsFromString("--optimize-for-size")
  // but not each time that it grew by a tenth: what passes through the door would cost twice as much of the processor
  setFlagsFromString("--heap-growing-percent=50")
  const registry = createRegistry()
  const shards = shardsOf(settings)
  const metrics = portalMetrics(registry)
  infoMetrics(registry, settings.webExternalUrl)
  const access = await openAccess(settings, { log, env, now, registry })
  const credentials = await openClientCredentials({
    ...prometheusCredentials(settings),
    startWithout: true,
    log,
    registry,
  })
  const contents = new Map<string, string>()
  let listed: PlanInForce["sites"] = []
  let targets: readonly ProbeTarget[] = []
  const inUse = tokensInUse()
  const [first] = shards
  const tokens = await openTokens({
    ...settings,
    ...{ configDir: first.folder, tokenKeyDir: keyFolderOf(settings), log, registry, now: () => now().getTime() },
    targets: () => targets,
    renewed() {
      takeTokens()
      federation.renewTokens()
    },
  })
  const sending = () => credentials.current()
  const federation = openFederation({ shards, sending, metrics, log, withTokens: tokens.into })
  const status = openStatus({
    ...{ ...federation, sitesFile: settings.sitesFile, log, registry },
    tokenOf: (site) => inUse(site, federation),
    signing: () => tokens.problem(),
  })
  timeMetrics(registry, status.source, status.labelOf)
  const key = randomBytes(32)
  const load = (read: ReadText) =>
    loadPlan(settings, shards, { env, key, read, issuer: settings.webExternalUrl?.written })
  let reloading: Reloading<PlanInForce> | undefined
  let faults: readonly Fault[] = []
  const change = openChanges(settings.sitesFile, (text) => load(withText(settings.sitesFile, text)), {
    reload: async () => reloading?.reload(),
    faults: () => faults,
    rollouts: federation.shards.map(({ rollout }) => rollout),
  })
  const { webConfigFile } = settings
  const opened: Closable[] = [tokens, access, credentials]
  // first the ports: a second portal that is started by mistake must not write the files of the first
  async function listen() {
    const prometheus = { url: first.url, sending, shard: shards.length > 1 ? first.name : undefined }
    const door = openDoor(settings, { prometheus, webConfigFile, access, log, registry })
    opened.unshift(door)
    const server = await serve({
      addresses: settings.webListenAddress,
      webConfigFile,
      open: [JWKS_PATH],
      elsewhere: access.isOurs,
      registry,
      log,
      async routes(app, closing) {
        addAccess(app, access)
        addAdmin(app, registry, federation.notReady)
        addJwks(app, tokens.jwks)
        const sites = { access, change, log }
        await addPortalPages(app, status.source, {
          version: VERSION,
          closing,
          links: { ...door.links, ...(settings.pushUrl && { push: settings.pushUrl.href }) },
          notice: door.notice,
          sites,
        })
        await door.addTo(app)
      },
    })
    opened.unshift(server)
    await door.listen()
    return { server, door }
  }
  const { server, door } = await listen().catch(async (error: unknown) => {
    await closeAll(opened)
    throw error
  })

  /** For those who request the sites beside Prometheus. */
  function takeTokens(): void {
    for (const { name, jwt, secretFile } of listed) {
      const minted = tokens.tokenOf(name)
      if (jwt !== undefined && secretFile !== undefined && minted !== undefined) contents.set(secretFile, minted.token)
    }
  }

  async function apply(plan: PlanInForce): Promise<void> {
    const { sites } = plan
    const isWhole = "of" in plan
    listed = sites
    targets = isWhole ? plan.sites.map((site) => ({ site, contents, limits: plan.limits, others: plan.sites })) : []
    for (const { about, message } of isWhole ? plan.warnings : []) log.warn(about, message)
    if (sites.length === 0 && !(isWhole && plan.pushing.length > 0))
      log.warn({ file: settings.sitesFile }, "no sites are listed")
    await tokens.list(sites)
    contents.clear()
    for (const [path, content] of isWhole ? plan.contents : []) contents.set(path, content)
    takeTokens()
    await federation.start(plan)
    status.list({
      sites: isWhole ? listAll(plan.sites, plan.pushing, settings.sitesFile) : listSites(sites, settings.sitesFile),
      contents,
      limits: isWhole ? plan.limits : undefined,
    })
  }

  try {
    await federation.open()
    await status.open()
    for (const accepted of (await federation.lastAccepted())?.accepted.values() ?? []) tokens.seed(accepted)
    const following = await reloadOnChange<PlanInForce>({
      config: "sites",
      load,
      // one file that cannot be read must not end the federation of all sites, nor what else Prometheus does
      fallback: { load: () => federation.lastAccepted(), consequence: "starting with the last accepted one" },
      apply,
      report(found) {
        faults = found
        status.setFaults(found)
      },
      summary: ({ sites }) => ({ sites: sites.length }),
      log,
      registry,
    })
    reloading = following
    return {
      close: () => closeAll([server, door, following, tokens, status, federation, access, credentials]),
      reload: async () =>
        void (await Promise.all([following, server, door, credentials, tokens, access].map((one) => one.reload()))),
    }
  } catch (error) {
    await closeAll([server, door, tokens, status, federation, access, credentials])
    throw error
  }
}
