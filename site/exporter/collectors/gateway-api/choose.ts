import { hash } from "node:crypto"
import { Faults } from "#core/config/faults.ts"
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
  const versions = versionsOf(values, faults)
  const { index, of } = values.shard
  faults.orThrow(UsageError)
  return {
    kinds,
    namespaces: values.namespaces.flat().toSorted(),
    labelAllowed: labels.length === 0 ? () => true : matcher(labels),
    isOurs: of === 1 ? () => true : (key) => parseInt(hash("sha256", key).slice(0, 12), 16) % of === index,
    versionLabel: (kind, served) => versions.get(kind) ?? served,
  }
}

function chosenKinds({ kinds, families, conditionReasons }: GatewayApiValues, faults: Faults): readonly Kind[] {
  const named = kinds.flat()
  const chosen = named.length === 0 ? KINDS : named.flatMap((name) => kindNamed(name, "--kinds", faults) ?? [])
  const patterns = families.flat()
  const [without, only] = [
    patterns.filter((each) => each.startsWith("-")),
    patterns.filter((each) => !each.startsWith("-")),
  ]
  const wanted = only.length === 0 ? () => true : matcher(only)
  const unwanted = matcher(without.map((each) => each.slice(1)))
  for (const pattern of patterns) {
    const matches = matcher([pattern.replace(/^-/, "")])
    const known = KINDS.some((kind) => kind.families.some((family) => matches(nameOf(kind, family))))
    if (!known)
      faults.add("--families", `no metric family is called ${pattern.replace(/^-/, "")}: see docs/gateway-api.md`)
  }
  return KINDS.filter((kind) => chosen.includes(kind)).map((kind) => ({
    ...kind,
    families: kind.families.filter((family) => {
      const name = nameOf(kind, family)
      return (conditionReasons || family.reasons !== true) && wanted(name) && !unwanted(name)
    }),
  }))
}

function versionsOf({ versionOverride }: GatewayApiValues, faults: Faults): ReadonlyMap<string, string> {
  const flag = "--customresource-version-override"
  const versions = new Map<string, string>()
  for (const text of versionOverride.flat()) {
    const [, name = "", version = ""] = /^([^=]+)=(v\d+(?:(?:alpha|beta)\d+)?)$/.exec(text) ?? []
    if (version === "") faults.add(flag, `${text}: must be a kind and a version, such as HTTPRoute=v1beta1`)
    else {
      const kind = kindNamed(name, flag, faults)
      if (kind !== undefined) versions.set(kind.kind, version)
    }
  }
  return versions
}

/** By kind or plural, in any case. */
function kindNamed(name: string, flag: string, faults: Faults): Kind | undefined {
  const wanted = name.toLowerCase()
  const found = KINDS.find(({ kind, plural }) => kind.toLowerCase() === wanted || plural === wanted)
  if (found === undefined)
    faults.add(flag, `no kind is called ${name}: known are ${KINDS.map(({ kind }) => kind).join(", ")}`)
  return found
}

const nameOf = ({ prefix }: Kind, { suffix }: Family): string => `${prefix}_${suffix}`

/** Whether one of the patterns matches a text as a whole; * stands for any text. */
function matcher(patterns: readonly string[]): (text: string) => boolean {
  const expressions = patterns.map(
    (pattern) =>
      new RegExp(
        `^${pattern
          .split("*")
          .map((part) => RegExp.escape(part))
          .join(".*")}$`,
        "s",
      ),
  )
  return (text) => expressions.some((expression) => expression.test(text))
}
