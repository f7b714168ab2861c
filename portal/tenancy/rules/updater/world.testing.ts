import { Wrong } from "#core/config/settings.ts"
import { createLogger } from "#core/log/logger.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { addressKey, type GroupAddress } from "../model/address.ts"
import type { RuleGroup } from "../model/group.ts"
import type { RuleResource } from "../resources/rule-resource.ts"
import type { ResourceSource } from "../resources/source.ts"
import { RulerError } from "../ruler/errors.ts"
import type { Ruler, RulerLimits } from "../ruler/ruler.ts"
import { targetOf } from "../validation/targets.ts"
import { TestClock } from "./clock.testing.ts"
import { parseNamespaceTemplate } from "./namespace-template.ts"
import { ledgerIn } from "./ledger.testing.ts"
import { validateSimply } from "./wants.testing.ts"
import { startUpdater, type UpdaterOptions } from "./updater.ts"

/** A request at its place among others: a test may let it fail, before or after it was done. */
export interface Point {
  readonly what: "list" | "limits" | "get" | "set" | "delete" | "record" | "report" | "release"
  readonly on: string
}
export type Happening = "before" | "after" | "refused" | "slow" | undefined

export interface StoredGroup {
  readonly group: RuleGroup
  readonly isForeign: boolean
}

/** A Kubernetes API and rulers in memory, and updaters that start and die between them. */
export class World {
  readonly clock = new TestClock()
  /** As the API has them. */
  readonly resources = new Map<string, RuleResource>()
  /** As the watch has them. */
  view: ReadonlyMap<string, RuleResource> = new Map()
  incomplete: ReadonlyMap<string, string> = new Map()
  /** By ruler and tenant, then by address. */
  readonly groups = new Map<string, Map<string, StoredGroup>>()
  /** Of the rulers' settings, as at the start. */
  serves: (ruler: string, tenant: string) => boolean = () => true
  limits: RulerLimits = { groups: undefined, rulesPerGroup: undefined }
  /** What a ruler makes of a group. */
  keeps: (group: RuleGroup) => RuleGroup = (group) => group
  readonly calls: string[] = []
  /** Asked at each request. */
  happens: (point: Point) => Happening = () => undefined
  /** Told of each write that reaches a ruler. */
  written: (
    tenant: string,
    address: GroupAddress,
    before: StoredGroup | undefined,
    group: RuleGroup | undefined,
  ) => void = () => undefined
  #versions = 0
  #uids = 0
  #life = 0
  readonly #listeners = new Set<() => void>()
  #updater: ReturnType<typeof startUpdater> | undefined
  readonly rulers: readonly string[]

  constructor(rulers: readonly string[] = ["cortex"]) {
    this.rulers = rulers
  }

  at(ruler: string, tenant: string): Map<string, StoredGroup> {
    const key = `${ruler} ${tenant}`
    const groups = this.groups.get(key) ?? new Map<string, StoredGroup>()
    this.groups.set(key, groups)
    return groups
  }

  /** Creates or changes a resource; what is not given of an existing one stays. */
  apply(namespace: string, name: string, spec: RuleResource["spec"], annotations?: Record<string, string>): void {
    const key = `${namespace}/${name}`
    const before = this.resources.get(key)
    this.#versions += 1
    this.#uids += before === undefined ? 1 : 0
    const created = new Date(1_700_000_000_000 + this.#uids * 1000).toISOString()
    const isSame = before !== undefined && JSON.stringify(before.spec) === JSON.stringify(spec)
    const generation = isSame ? (before.metadata.generation ?? 0) : this.#versions
    const metadata = before?.metadata ?? { namespace, name, uid: `uid-${this.#uids}`, creationTimestamp: created }
    this.resources.set(key, {
      ...before,
      metadata: { ...metadata, generation, ...(annotations === undefined ? {} : { annotations }) },
      ...(spec === undefined ? {} : { spec }),
    })
    this.deliver()
  }

  delete(key: string): void {
    const resource = this.resources.get(key)
    if (resource === undefined) return
    const { finalizers = [], deletionTimestamp = "2026-01-01T00:00:00Z" } = resource.metadata
    if (finalizers.length === 0) this.resources.delete(key)
    else this.resources.set(key, { ...resource, metadata: { ...resource.metadata, deletionTimestamp } })
    this.deliver()
  }

  isWatching = true
  deliver(): void {
    if (!this.isWatching) return
    this.view = new Map(this.resources)
    this.tell()
  }

  tell(): void {
    for (const listener of this.#listeners) listener()
  }

  start(options: Partial<UpdaterOptions> = {}): void {
    const template = parseNamespaceTemplate("{namespace}")
    if (template instanceof Wrong) throw new Error(template.reason)
    this.#life += 1
    const life = this.#life
    const target = targetOf("cortex-1.21")
    this.#updater = startUpdater({
      source: this.source(),
      ledger: ledgerIn(this, (point, work) => this.#request(life, point, work)),
      rulers: this.rulers.map((name) => ({
        ...{ ruler: this.#ruler(name, life), target },
        serves: (tenant) => this.serves(name, tenant),
      })),
      claims: { template, validate: validateSimply },
      plan: { adoptExisting: false },
      resync: 40,
      mostDeletes: 50,
      grace: 0,
      removes: true,
      isForgotten: () => false,
      forgot: () => undefined,
      dryRun: false,
      observer: { planned: () => undefined, wrote: () => undefined, cycle: () => undefined, gone: () => undefined },
      log: createLogger({ level: "error", format: "logfmt" }, "test", () => undefined),
      clock: this.clock,
      ...options,
    })
  }

  get isRunning(): boolean {
    return this.#updater !== undefined
  }

  state() {
    return this.#updater?.state()
  }

  /** What the process still does has no effect, as if it had been killed; `stop` follows. */
  kill(): void {
    this.#life += 1
  }

  async stop(): Promise<void> {
    this.kill()
    const stopped = this.#updater
    this.#updater = undefined
    await Promise.all([stopped?.close(), this.clock.advance(25_000)])
  }

  /** For another component of the same process. */
  ruler(name: string): Ruler {
    return this.#ruler(name, this.#life)
  }

  source(): ResourceSource {
    return {
      snapshot: () => ({ resources: this.view, incomplete: this.incomplete }),
      onChange: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
    }
  }

  /** Does it, unless something happens; only while that updater lives. */
  async #request<T>(life: number, point: Point, work: () => T): Promise<T> {
    await Promise.resolve()
    const dead = (): void => {
      if (life !== this.#life) throw new Error("the process died")
    }
    dead()
    const happening = this.happens(point)
    dead()
    this.calls.push(`${point.what} ${point.on}`)
    if (happening === "refused") throw new RulerError("refused", "the ruler refused it (400)")
    if (happening === "before") throw new RulerError("unreachable", "connection refused")
    if (happening === "slow") await this.clock.pause(20, new AbortController().signal)
    dead()
    const result = work()
    if (happening === "after") throw new RulerError("unreachable", "the response was lost")
    await Promise.resolve()
    return result
  }

  #ruler(name: string, life: number): Ruler {
    const on = (tenant: string, { namespace, name: group }: GroupAddress) => `${name} ${tenant} ${namespace}/${group}`
    return {
      name,
      list: (tenant) =>
        this.#request(life, { what: "list", on: `${name} ${tenant}` }, () => {
          const listed = new Map<string, Map<string, RuleGroup>>()
          for (const [key, { group }] of this.at(name, tenant)) {
            const [namespace] = JSON.parse(key) as readonly [string, string]
            const groups = listed.get(namespace) ?? new Map<string, RuleGroup>()
            listed.set(namespace, groups.set(group.name, group))
          }
          return listed
        }),
      get: (tenant, address) =>
        this.#request(
          life,
          { what: "get", on: on(tenant, address) },
          () => this.at(name, tenant).get(addressKey(address))?.group,
        ),
      set: (tenant, namespace, group) => {
        const address = { namespace, name: group.name }
        return this.#request(life, { what: "set", on: on(tenant, address) }, () => {
          const groups = this.at(name, tenant)
          this.written(tenant, address, groups.get(addressKey(address)), group)
          groups.set(addressKey(address), { group: structuredClone(this.keeps(group)), isForeign: false })
        })
      },
      delete: (tenant, address) =>
        this.#request(life, { what: "delete", on: on(tenant, address) }, () => {
          const groups = this.at(name, tenant)
          this.written(tenant, address, groups.get(addressKey(address)), undefined)
          groups.delete(addressKey(address))
        }),
      limits: (tenant) => this.#request(life, { what: "limits", on: `${name} ${tenant}` }, () => this.limits),
      tenants: () => Promise.resolve(new Set<TenantId>()),
    }
  }
}

export const groupOf = (name: string, expr: string): RuleGroup => ({ name, rules: [{ record: "a:b", expr }] })
