import { Wrong } from "#core/config/settings.ts"
import { namespace as parseNamespace } from "#core/kubernetes/settings.ts"
import type { NamespaceTemplate } from "../updater/namespace-template.ts"

/** From the namespace at a ruler to that of Kubernetes; undefined where no resource could have its groups there. */
export type KubernetesNamespaceOf = (atRuler: string) => string | undefined

const SOME = "0namespace0"

/** The inverse of a template; undefined where its namespaces say more, or less, than the one of Kubernetes. */
export function inverseOf(template: NamespaceTemplate): KubernetesNamespaceOf | undefined {
  const made = template({ namespace: SOME, name: "a", uid: "a" })
  if (made !== template({ namespace: SOME, name: "b", uid: "b" })) return undefined
  const [before = "", after, ...more] = made.split(SOME)
  if (after === undefined || more.length > 0) return undefined
  return (atRuler) => {
    if (atRuler.length < before.length + after.length || !atRuler.startsWith(before) || !atRuler.endsWith(after))
      return undefined
    const name = parseNamespace(atRuler.slice(before.length, atRuler.length - after.length))
    return name instanceof Wrong ? undefined : name
  }
}
