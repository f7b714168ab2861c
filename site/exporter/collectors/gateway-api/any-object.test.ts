import assert from "node:assert/strict"
import { text } from "node:stream/consumers"
import { test } from "node:test"
import * as fc from "fast-check"
import { plain } from "../../body.ts"
import { anyObject, named } from "./any-object.testing.ts"
import { createExposition } from "./exposition.ts"
import { KINDS } from "./kinds/all.ts"
import { createFilled } from "./scope.ts"
import { strictSamples } from "./strict.testing.ts"

const scope = {
  kinds: KINDS,
  namespaces: [],
  isOurs: () => true,
  labelAllowed: () => true,
  versionLabel: (_: string, served: string) => served,
}

for (const kind of KINDS) {
  test(`whatever is in objects of ${kind.kind}, Prometheus takes them, each series once and each with its object`, async () => {
    const [group = ""] = kind.groups
    await fc.assert(
      fc.asyncProperty(fc.array(anyObject, { minLength: 1, maxLength: 3 }), async (objects) => {
        const filled = createFilled({ kind, group, resource: undefined, namespaced: true }, "v1", scope)
        objects.forEach((object, index) => filled.put(named(object, `object-${index}`)))
        const samples = strictSamples(await text(plain(createExposition()([filled], ""), Buffer.alloc(0))))
        for (const { labels } of samples) {
          assert.match(labels.get("name") ?? "", /^object-\d$/)
          const { namespace, customresource_group, customresource_kind, customresource_version } =
            Object.fromEntries(labels)
          assert.deepEqual(
            [namespace, customresource_group, customresource_kind, customresource_version],
            ["ns", group, kind.kind, "v1"],
          )
        }
      }),
      { numRuns: 40 },
    )
  })
}
