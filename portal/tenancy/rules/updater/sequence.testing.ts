import { addressKey } from "../model/address.ts"
import type { RuleGroup } from "../model/group.ts"
import { DIRECTION, type RuleResource } from "../resources/rule-resource.ts"
import type { Happening, Point } from "./world.testing.ts"
import { ownedBy, wants } from "./wants.testing.ts"
import { groupOf, World } from "./world.testing.ts"

export const RULERS = ["cortex"] as const
export const TENANTS = ["red", "blue", "green"] as const
export const NAMESPACES = ["a", "b"] as const
const NAMES = ["x", "y", "z"]
const GROUPS = ["g", "h", "i", "j"]

/** Milliseconds after which what the updater does must follow from what the API has. */
const LATE = 180_000
/** The same for what is wanted again: a request may be on its way. */
const SOON = 30_000
/** Edits of one resource from which on it may be followed late. */
const MANY = 10

interface Spec {
  readonly tenants: readonly string[]
  readonly groups: readonly RuleGroup[]
}

/** Random edits, faults and restarts; collects what must never happen. */
export class Sequence {
  readonly world = new World(RULERS)
  readonly violations: string[] = []
  readonly story: string[] = []
  /** Groups whose resource was deleted while it was hands-off: they stay. */
  readonly orphans = new Set<string>()
  readonly #random: () => number
  #foreign = 0
  #freshAt = 0
  #unreadAt = 0
  #killAfter = Number.POSITIVE_INFINITY
  #faults: Partial<Record<Exclude<Happening, undefined>, number>> = {}
  #down: "ruler" | "api" | undefined
  /** By tenant and address, and by these and the resource: since when it is wanted, or until when it was. */
  readonly #since = new Map<string, number>()
  readonly #until = new Map<string, number>()
  /** Until when some resource had a valid version of it, for long enough to be seen. */
  readonly #validUntil = new Map<string, number>()
  readonly #edits = new Map<string, number>()
  /** Seconds. */
  readonly #grace: number

  constructor(random: () => number) {
    this.#random = random
    this.#grace = this.#pick([0, 5, 20])
    this.world.happens = (point) => this.#happens(point)
    this.world.written = (tenant, address, before, group) => {
      const what = `${tenant} ${addressKey(address)}`
      const now = this.world.clock.now()
      if (before?.isForeign === true)
        this.violations.push(`${group === undefined ? "deleted" : "changed"} foreign ${what}`)
      const unread = this.world.incomplete.has("") || this.world.incomplete.has(address.namespace)
      if (group === undefined && unread && now > this.#unreadAt + SOON) this.violations.push(`deleted unread ${what}`)
      if (now < this.#freshAt + SOON || !this.world.isWatching) return
      const until = this.#until.get(what) ?? Number.NEGATIVE_INFINITY
      const isWanted = this.#since.has(what)
      const isLate = now > Math.max(until, this.#freshAt) + LATE
      if (group !== undefined && !isWanted && isLate) this.violations.push(`resurrected ${what}`)
      const wantedBy = this.#owners(tenant, addressKey(address)).filter(
        (owner) => now > (this.#since.get(`${what} ${owner}`) ?? now) + SOON,
      )
      if (group === undefined && wantedBy.length > 0) this.violations.push(`lost ${what} of ${wantedBy.join()}`)
    }
  }

  async run(steps: number): Promise<void> {
    this.world.start({ mostDeletes: 2, grace: this.#grace })
    for (let step = 0; step < steps; step++) {
      const index = Math.floor(this.#random() * this.#actions.length)
      const action = this.#actions[index]
      if (action !== undefined) this.story.push(`${this.world.clock.now()} ${await action()}`)
      this.#remember()
      if (this.#random() < 0.7) await this.#pass(this.#random() < 0.2 ? 60_000 : this.#random() * 5000)
    }
  }

  async #pass(milliseconds: number): Promise<void> {
    const valid = this.#valid()
    await this.world.clock.advance(milliseconds)
    if (this.world.isWatching) for (const what of valid) this.#validUntil.set(what, this.world.clock.now())
  }

  #valid(): ReadonlySet<string> {
    const all = TENANTS.flatMap((tenant) =>
      [...this.world.resources.values()].flatMap((one) =>
        wants(one, tenant).flatMap(([key, { group }]) =>
          group.rules[0]?.expr === "invalid" ? [] : [`${tenant} ${key}`],
        ),
      ),
    )
    return new Set(all)
  }

  /** A group that was wanted a moment ago may be on its way to another resource. */
  #judgeDeletion(on: string): void {
    const [, tenant = "", at = ""] = on.split(" ")
    const [namespace = "", name = ""] = at.split("/")
    const what = `${tenant} ${addressKey({ namespace, name })}`
    const since = this.world.clock.now() - (this.#validUntil.get(what) ?? Number.NEGATIVE_INFINITY)
    const isFollowed = this.world.isWatching && this.#edits.values().every((count) => count < MANY)
    if (isFollowed && since < 1000 * this.#grace && !this.#valid().has(what))
      this.violations.push(`deleted ${what} ${since} ms after it was wanted`)
  }

  /** No more faults, and an updater that runs. */
  async heal(): Promise<void> {
    this.#faults = {}
    this.#down = undefined
    this.#killAfter = Number.POSITIVE_INFINITY
    if (this.#isKilled || !this.world.isRunning) await this.#restart()
    this.#watch()
  }

  #isKilled = false
  #happens({ what, on }: Point): Happening {
    if (what === "delete") this.#judgeDeletion(on)
    this.#killAfter -= 1
    if (this.#killAfter === 0) {
      this.#isKilled = true
      this.world.kill()
      return undefined
    }
    const isLedger = what === "record" || what === "report" || what === "release"
    if (this.#down === (isLedger ? "api" : "ruler")) return "before"
    let rest = this.#random()
    for (const [happening, share] of Object.entries(this.#faults)) {
      rest -= share
      if (rest < 0) return happening as Happening
    }
    return undefined
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)] as T
  }

  #some<T>(items: readonly T[], share: number): readonly T[] {
    return items.filter(() => this.#random() < share)
  }

  #watch(): void {
    Object.assign(this.world, { isWatching: true, incomplete: new Map() })
    this.world.deliver()
    this.#freshAt = this.world.clock.now()
  }

  async #restart(): Promise<void> {
    await this.world.stop()
    this.#isKilled = false
    this.world.start({ mostDeletes: 2, grace: this.#grace })
    this.#freshAt = this.world.clock.now()
  }

  /** What is wanted by now, so that what is written later can be judged. */
  #remember(): void {
    const now = this.world.clock.now()
    const wanted = new Set(
      TENANTS.flatMap((tenant) =>
        [...this.world.resources.values()].flatMap((one) =>
          wants(one, tenant).flatMap(([key, { owner }]) => [`${tenant} ${key}`, `${tenant} ${key} ${owner}`]),
        ),
      ),
    )
    for (const what of wanted) if (!this.#since.has(what)) this.#since.set(what, now)
    for (const what of this.#since.keys())
      if (!wanted.has(what)) {
        this.#since.delete(what)
        this.#until.set(what, now)
      }
  }

  #content(name: string): RuleGroup {
    const group = groupOf(name, this.#random() < 0.15 ? "invalid" : this.#pick(["1", "2", "3"]))
    return this.#random() < 0.02 ? ({ ...group, name: 5 } as unknown as RuleGroup) : group
  }

  /** Addresses that the ledger of some resource has, for a tenant. */
  #owned(tenant: string): readonly string[] {
    return [...this.world.resources.values()].flatMap((resource) => ownedBy(resource, tenant))
  }

  #owners(tenant: string, key: string): readonly string[] {
    const owning = [...this.world.resources].filter(([, resource]) => ownedBy(resource, tenant).includes(key))
    return owning.map(([owner]) => owner)
  }

  /** A resource that is deleted while another source was chosen leaves its groups behind. */
  #leave(key: string): void {
    const { metadata, status } = this.world.resources.get(key) ?? {}
    if (metadata?.deletionTimestamp === undefined || metadata.annotations?.[DIRECTION] !== "off") return
    for (const { namespace, group, tenants } of status?.owned ?? [])
      for (const tenant of tenants) this.orphans.add(`${tenant} ${addressKey({ namespace, name: group })}`)
  }

  readonly #edit = (): string => {
    const [namespace, name] = [this.#pick(NAMESPACES), this.#pick(NAMES)]
    const groups = this.#some(GROUPS, 0.4).map((group) => this.#content(group))
    const tenants = this.#some(TENANTS, 0.6)
    const direction = this.#random() < 0.05 ? "off" : "kubernetes"
    this.#apply(`${namespace}/${name}`, { tenants, groups }, { [DIRECTION]: direction })
    return `apply ${namespace}/${name} ${tenants.join()} ${JSON.stringify(groups)} ${direction}`
  }

  #apply(key: string, spec: RuleResource["spec"], annotations?: Record<string, string>): void {
    const [namespace = "", name = ""] = key.split("/")
    this.#edits.set(key, (this.#edits.get(key) ?? 0) + 1)
    this.world.apply(namespace, name, spec, annotations)
    this.#leave(key)
  }

  /** A group is dropped by one resource, or that is deleted, and claimed by another one later. */
  readonly #move = async (): Promise<string> => {
    const { resources } = this.world
    const from = this.#pick([...resources.keys()])
    const [namespace] = from?.split("/") ?? []
    const spec = resources.get(from)?.spec as Spec | undefined
    const to = `${namespace}/${this.#pick(NAMES)}`
    const moved = this.#pick(spec?.groups ?? [])
    if (spec === undefined || to === from || typeof moved?.name !== "string") return "nothing"
    const isDeleted = this.#random() < 0.3
    if (isDeleted) this.world.delete(from)
    else this.#apply(from, { ...spec, groups: spec.groups.filter((group) => group !== moved) })
    this.#leave(from)
    this.#remember()
    const wait = this.#random() * 1500 * Math.max(1, this.#grace)
    await this.#pass(wait)
    const { tenants = spec.tenants, groups = [] } = (resources.get(to)?.spec as Spec | undefined) ?? {}
    this.#apply(to, { tenants, groups: [...groups.filter(({ name }) => name !== moved.name), moved] })
    return `move ${moved.name} from ${from}${isDeleted ? ", deleted," : ""} to ${to} after ${wait}`
  }

  readonly #actions: readonly (() => string | Promise<string>)[] = [
    this.#edit,
    this.#edit,
    this.#edit,
    this.#move,
    this.#move,
    () => {
      const key = this.#pick([...this.world.resources.keys()])
      this.world.delete(key)
      this.#leave(key)
      return `delete ${key}`
    },
    async () => {
      await this.world.stop()
      this.#isKilled = false
      return "stop"
    },
    async () => {
      await this.#restart()
      return "restart"
    },
    () => {
      this.#killAfter = 1 + Math.floor(this.#random() * 8)
      return `killed in ${this.#killAfter} requests`
    },
    () => {
      this.#down = this.#pick(["ruler", "api", undefined])
      return `down: ${this.#down}`
    },
    () => {
      const kinds = ["before", "after", "refused", "slow"] as const
      this.#faults = Object.fromEntries(this.#some(kinds, 0.5).map((kind) => [kind, this.#random() * 0.3]))
      return `faults ${JSON.stringify(this.#faults)}`
    },
    () => {
      const [tenant, namespace, name] = [
        this.#pick(TENANTS),
        this.#pick(NAMESPACES),
        this.#pick([...GROUPS, "foreign"]),
      ]
      const key = addressKey({ namespace, name })
      const isWanted = this.#since.has(`${tenant} ${key}`)
      const groups = this.world.at(RULERS[0], tenant)
      if (isWanted || groups.has(key) || this.#owned(tenant).includes(key)) return "nothing"
      this.#foreign += 1
      groups.set(key, { group: groupOf(name, `foreign-${this.#foreign}`), isForeign: true })
      return `foreign ${tenant} ${key}`
    },
    () => {
      const tenant = this.#pick(TENANTS)
      const key = this.#pick(this.#owned(tenant))
      const groups = this.world.at(RULERS[0], tenant)
      const stored = groups.get(key)
      if (stored === undefined || stored.isForeign) return "nothing"
      const isDeleted = this.#random() < 0.5
      if (isDeleted) groups.delete(key)
      else groups.set(key, { group: groupOf(stored.group.name, "drift"), isForeign: false })
      return `drift ${tenant} ${key} ${isDeleted ? "deleted" : "changed"}`
    },
    () => {
      // a list that is too short and says nothing of it
      this.world.isWatching = false
      const kept = this.#some([...this.world.resources.keys()], this.#pick([0, 0.5]))
      this.world.view = new Map(kept.flatMap((key) => [...this.world.resources].filter(([other]) => other === key)))
      this.world.tell()
      return `short list: ${kept.join()}`
    },
    () => {
      this.#unreadAt = this.world.clock.now()
      this.world.incomplete = new Map([[this.#pick(["", ...NAMESPACES]), "cannot be read"]])
      this.world.isWatching = this.#random() < 0.5
      this.world.tell()
      return `incomplete ${[...this.world.incomplete.keys()].join()} ${this.world.isWatching}`
    },
    () => {
      this.#watch()
      return "watch"
    },
  ]
}
