import type { Registry } from "prom-client"
import { type Closable, closeAll } from "#core/closable.ts"
import { reloadOnChange } from "#core/files/reload.ts"
import type { Logger } from "#core/log/logger.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { Target } from "../validation/target.ts"
import { targetOf } from "../validation/targets.ts"
import { type OpenRuler, openRuler } from "./open-ruler.ts"
import { createReadListing } from "./read-listing.ts"
import type { Ruler } from "./ruler.ts"
import { readRulersFile } from "./rulers-file.ts"
import { rulerConfigs, type RulerSetup, type RulerValues } from "./settings.ts"

/** A ruler, and what it is for. */
export interface ServingRuler {
  readonly ruler: Ruler
  /** As which its groups are validated. */
  readonly target: Target
  /** Whether it is to have this tenant's rules. */
  readonly serves: (tenant: TenantId) => boolean
}

export interface Rulers extends Closable {
  /** Those that are configured now. */
  current(): readonly ServingRuler[]
  /** Reads the file of rulers, and those of credentials, again. */
  reload(): Promise<void>
}

interface OpenContext {
  readonly log: Logger
  readonly registry: Registry
  /** Called with other rulers than before, which are closed when it resolves. */
  readonly changed?: (rulers: readonly ServingRuler[]) => void | Promise<void>
}

interface Opened extends ServingRuler {
  readonly config: RulerSetup
  readonly ruler: OpenRuler
}

/** The rulers of the settings. Throws UsageError or ConfigurationError with every fault. */
export async function openRulers(values: RulerValues, { log, registry, changed }: OpenContext): Promise<Rulers> {
  const ofFlags = rulerConfigs(values)
  const readListing = createReadListing()
  /** One for all rulers that accept the same, so that each group is validated once for them. */
  const targets = new Map<string, Target>()
  const targetFor = ({ target, features }: RulerSetup): Target => {
    const key = JSON.stringify([target, features.toSorted()])
    const known = targets.get(key) ?? targetOf(target, features)
    targets.set(key, known)
    return known
  }
  const closeOf = (rulers: readonly Opened[]): Promise<void> => closeAll(rulers.map(({ ruler }) => ruler))

  /** Those that are configured as before are the same. Opens all others, or none. */
  async function open(configs: readonly RulerSetup[], before: readonly Opened[] = []): Promise<readonly Opened[]> {
    const known = new Map(before.map((one) => [JSON.stringify(one.config), one]))
    const opened: Opened[] = []
    try {
      const rulers: Opened[] = []
      for (const config of configs) {
        const kept = known.get(JSON.stringify(config))
        const one = kept ?? serving(config, targetFor(config), await openRuler(config, { log, registry, readListing }))
        if (kept === undefined) opened.push(one)
        rulers.push(one)
      }
      return rulers
    } catch (error) {
      await closeOf(opened)
      throw error
    }
  }

  const { rulersFile } = values
  if (rulersFile === undefined) {
    const rulers = await open(ofFlags)
    return {
      current: () => rulers,
      reload: async () => void (await Promise.all(rulers.map(({ ruler }) => ruler.reload()))),
      close: () => closeOf(rulers),
    }
  }
  const reloading = await reloadOnChange<readonly Opened[]>({
    config: "rulers",
    load: (read, inForce) => open(readRulersFile(rulersFile, read), inForce),
    async apply(next, previous) {
      if (previous === undefined) return
      const [gone, added] = [
        previous.filter((one) => !next.includes(one)),
        next.filter((one) => !previous.includes(one)),
      ]
      try {
        if (gone.length + added.length > 0) await changed?.(next)
      } catch (error) {
        await closeOf(added)
        throw error
      }
      await closeOf(gone)
    },
    summary: (rulers) => ({ rulers: rulers.length }),
    ...{ log, registry },
  })
  return {
    current: () => reloading.current(),
    async reload() {
      await reloading.reload()
      await Promise.all(reloading.current().map(({ ruler }) => ruler.reload()))
    },
    async close() {
      await reloading.close()
      await closeOf(reloading.current())
    },
  }
}

function serving(config: RulerSetup, target: Target, ruler: OpenRuler): Opened {
  const tenants = config.tenants && new Set(config.tenants)
  return { config, ruler, target, serves: (tenant) => tenants?.has(tenant) ?? true }
}
