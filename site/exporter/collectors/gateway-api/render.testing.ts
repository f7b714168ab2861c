import assert from "node:assert/strict"
import { samplesOf } from "./exposition.testing.ts"
import type { Json } from "./fields.ts"
import { KINDS } from "./kinds/all.ts"
import { type Rendered, renderer } from "./render.ts"

export const CUSTOM_RESOURCE = /^customresource_(?:group|kind|version)$/

/** An object, whatever is in it, rendered by all families of a kind: in its first group, as v1. */
export function renderAs(
  kindName: string,
  object: Json,
  labelAllowed: (key: string) => boolean = () => true,
): Rendered {
  const kind = KINDS.find((each) => each.kind === kindName)
  assert(kind !== undefined)
  const [group = ""] = kind.groups
  return renderer({ kind, group, version: "v1", families: kind.families }, { labelAllowed })(object)
}

/** The samples of some families, without what names the kind. */
export function samplesAs(kindName: string, object: Json, suffix: RegExp): readonly string[] {
  const { texts } = renderAs(kindName, object)
  return samplesOf(texts.join(""), CUSTOM_RESOURCE).filter((line) => suffix.test(line.replace(/\{.*/s, "")))
}
