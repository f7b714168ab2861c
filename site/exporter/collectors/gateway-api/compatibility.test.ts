import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { parse } from "yaml"
import { samplesOf } from "./exposition.testing.ts"
import { KINDS } from "./kinds/all.ts"
import { renderer } from "./render.ts"

interface Predecessor {
  readonly resources: readonly {
    readonly kind: string
    readonly group: string
    readonly families: readonly {
      readonly family: string
      readonly path: string
      readonly labels: Readonly<Record<string, string>>
      readonly value: string
    }[]
    readonly object_labels: readonly string[]
  }[]
}

const { resources } = parse(
  readFileSync(new URL("testdata/families-of-predecessor.yaml", import.meta.url), "utf8"),
) as Predecessor

/** Sets a field of a path like `status.parents[].parentRef.name`, making what is on the way. */
function set(object: Record<string, unknown>, path: string, value: unknown): void {
  const [segment = "", ...rest] = path.split(".")
  const [, key = "", list] = /^(\w+)(\[\])?$/.exec(segment) ?? []
  if (rest.length === 0) {
    object[key] ??= list === undefined ? value : [value]
    return
  }
  object[key] ??= list === undefined ? {} : [{}]
  const below = object[key]
  set((Array.isArray(below) ? below[0] : below) as Record<string, unknown>, rest.join("."), value)
}

for (const { kind: name, group, families, object_labels: objectLabels } of resources) {
  test(`${name} has the predecessor's families, label for label`, () => {
    const kind = KINDS.find((each) => each.kind === name && each.groups.includes(group))
    assert(kind !== undefined)
    const object: Record<string, unknown> = {
      metadata: {
        name: "n",
        namespace: "ns",
        labels: { app: "a", "x.y/z": "b" },
        creationTimestamp: "2026-01-01T00:00:00Z",
      },
      ...(objectLabels.includes("rootDomain") ? { spec: { rootHost: "root" } } : {}),
    }
    if (!objectLabels.includes("namespace")) delete (object.metadata as Record<string, unknown>).namespace
    const expected: string[] = []
    const common = objectLabels.map(
      (label) => [label, { name: "n", namespace: "ns", rootDomain: "root" }[label] ?? ""] as const,
    )
    for (const { family, labels, path, value } of families) {
      const own = Object.entries(labels).map(([label, at]) => {
        const content = label === "type" && at.includes("conditions") ? "Accepted" : `${label}-value`
        if (label === "*") return ["app", "a"] as const
        set(object, at === "status.supportedFeatures[]" ? `${at}.name` : at, content)
        return [label, content] as const
      })
      if ("*" in labels) own.push(["x_y_z", "b"])
      if (/condition_status/.test(value)) set(object, "status.conditions[].status", "True")
      if (/attachedRoutes/.test(value)) set(object, "status.listeners[].attachedRoutes", 1)
      if (/status.healthy/.test(value)) set(object, "status.healthy", true)
      const number = /creationTimestamp/.test(path) ? 1767225600 : /deletionTimestamp/.test(path) ? 0 : 1
      const alive = /deletionTimestamp/.test(path) && group === "kuadrant.io"
      const resource = [
        ["customresource_group", group],
        ["customresource_kind", name],
        ["customresource_version", "v1"],
      ] as const
      const pairs = [...resource, ...common, ...own].map(([label, content]) => `${label}="${content}"`)
      if (!alive) expected.push(`${family}{${pairs.toSorted().join()}} ${number}`)
    }
    const exported = { kind, group, version: "v1", families: kind.families }
    const { texts, duplicates } = renderer(exported, { labelAllowed: () => true })(object)
    const rendered = samplesOf(texts.join(""))
    assert.deepEqual(
      expected.filter((sample) => !rendered.includes(sample)),
      [],
    )
    const names = new Set(families.map(({ family }) => family))
    assert.deepEqual(
      rendered.filter((sample) => names.has(sample.replace(/\{.*$/, "")) && !expected.includes(sample)),
      [],
    )
    assert.equal(duplicates, 0)
  })
}

test("the predecessor's are 14 kinds and 70 families", () => {
  assert.equal(resources.length, 14)
  assert.equal(resources.flatMap(({ families }) => families).length, 70)
})
