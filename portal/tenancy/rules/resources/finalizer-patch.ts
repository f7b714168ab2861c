import type { JsonOperation } from "#core/kubernetes/objects.ts"
import { FINALIZER, type RuleResource } from "./rule-resource.ts"

/** 409 where it is another version by now, or another object of its name. */
const onlyTo = ({ metadata: { resourceVersion } }: RuleResource): JsonOperation => ({
  ...{ op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
})

export function addFinalizer(resource: RuleResource): readonly JsonOperation[] {
  const isFirst = (resource.metadata.finalizers ?? []).length === 0
  return [
    onlyTo(resource),
    isFirst
      ? { op: "add", path: "/metadata/finalizers", value: [FINALIZER] }
      : { op: "add", path: "/metadata/finalizers/-", value: FINALIZER },
  ]
}

export function removeFinalizer(resource: RuleResource, finalizer = FINALIZER): readonly JsonOperation[] {
  // the list is never written as a whole: other finalizers belong to others
  const path = `/metadata/finalizers/${resource.metadata.finalizers?.indexOf(finalizer)}`
  return [onlyTo(resource), { op: "test", path, value: finalizer }, { op: "remove", path }]
}
