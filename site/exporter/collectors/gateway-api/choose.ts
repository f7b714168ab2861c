import { hash } from "node:crypto"
import { Faults } from "#core/config/faults.ts"
import { didYouMean, meant } from "#core/config/nearest.ts"
import type { Tracked } from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import type { Family } from "./family.ts"
import type { Kind } from "./kind.ts"
import { KINDS } from "./kinds/all.ts"
import type { Scope } from "./scope.ts"
import type { GatewayApiValues } from "./settings.ts"

/** What the settings choose of all that can be exported. Throws UsageError with every fault. */
export function scopeOf(values: GatewayApiValues): Scope {
  const faults = new Faults()
  const kinds = chosenKinds(values, faults)
  const labels = values.labelsAllowlist.flat()
  const namespaces = namespacesIn(values.namespaces, faults)
  const versions = versionsOf(values.versionOverride, faults)
  const { index, of } = values.shard
  faults.orThrow(UsageError)
  return {
    kinds,
    namespaces,
    labelAllowed: labels.length === 0 ? () => true : matcher(labels),
    isOurs: of === 1 ? () => true : (key) => parseInt(hash("sha256", key).slice(0, 12), 16) % of === index,
    versionLabel: (kind, served) => versions.get(kind) ?? served,
  }
}

type Lists = Tracked<readonly (readonly string[])[]>

function chosenKinds({ kinds, families, conditionReasons }: GatewayApiValues, faults: Faults): readonly Kind[] {
  const named = kinds.value.flat()
  const chosen = named.length === 0 ? KINDS : named.flatMap((name) => kindNamed(name, kinds.source, faults) ?? [])
  const patterns = families.value.flat()
  for (const pattern of patterns) checkFamily(pattern, conditionReasons, families.source, faults)
  const [without, only] = [
    patterns.filter((each) => each.startsWith("-")),
    patterns.filter((each) => !each.startsWith("-")),
  ]
  const wanted = only.length === 0 ? () => true : matcher(only)
  const unwanted = matcher(without.map((each) => each.slice(1)))
  return KINDS.filter((kind) => chosen.includes(kind)).map((kind) => ({
    ...kind,
    families: kind.families.filter((family) => {
      const name = nameOf(kind, family)
      return (conditionReasons || family.reasons !== true) && wanted(name) && !unwanted(name)
    }),
  }))
}

const FAMILIES = KINDS.flatMap((kind) =>
  kind.families.map((family) => ({ name: nameOf(kind, family), reasons: family.reasons === true })),
)

function checkFamily(pattern: string, conditionReasons: boolean, source: string, faults: Faults): void {
  const name = pattern.replace(/^-/, "")
  const matches = matcher([name])
  const found = FAMILIES.filter((family) => matches(family.name))
  if (found.length === 0) {
    const near = meant(
      name,
      FAMILIES.map((family) => family.name),
    )
    faults.add(source, `no metric family is called ${name}${didYouMean(near)}: see docs/gateway-api.md`)
  } else if (name === pattern && !conditionReasons && found.every(({ reasons }) => reasons))
    faults.add(source, `${name}: reasons of conditions are exported with --condition-reasons only`)
}

/** Each once, however often it is given: the objects of one that is listed twice would be there twice. */
function namespacesIn({ value, source }: Lists, faults: Faults): readonly string[] {
  const namespaces = [...new Set(value.flat())].toSorted()
  for (const each of namespaces) {
    if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(each))
      faults.add(source, `${each}: must be the name of a namespace: lower-case letters, digits and - between them`)
  }
  return namespaces
}

function versionsOf({ value, source }: Lists, faults: Faults): ReadonlyMap<string, string> {
  const versions = new Map<string, string>()
  for (const text of value.flat()) {
    const [, name = "", version = ""] = /^([^=]+)=(v\d+(?:(?:alpha|beta)\d+)?)$/.exec(text) ?? []
    if (version === "") faults.add(source, `${text}: must be a kind and a version, such as HTTPRoute=v1beta1`)
    else {
      const kind = kindNamed(name, source, faults)
      if (kind !== undefined) versions.set(kind.kind, version)
    }
  }
  return versions
}

/** By kind or plural, in any case. */
function kindNamed(name: string, source: string, faults: Faults): Kind | undefined {
  const wanted = name.toLowerCase()
  const found = KINDS.find(({ kind, plural }) => kind.toLowerCase() === wanted || plural === wanted)
  if (found === undefined) {
    const known = KINDS.map(({ kind }) => kind)
    const near = meant(
      wanted,
      known.map((kind) => kind.toLowerCase()),
    ).map((kind) => known.find((each) => each.toLowerCase() === kind) ?? kind)
    faults.add(source, `no kind is called ${name}${didYouMean(near)}: known are ${known.join(", ")}`)
  }
  return found
}

function nameOf({ prefix }: Kind, { suffix }: Family): string {
  return `${prefix}_${suffix}`
}

/** Whether one of the patterns matches a text as a whole; * stands for any text. */
function matcher(patterns: readonly string[]): (text: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const parts = pattern.split("*").map((part) => RegExp.escape(part))
    return new RegExp(`^${parts.join(".*")}$`, "s")
  })
  return (text) => expressions.some((expression) => expression.test(text))
}
