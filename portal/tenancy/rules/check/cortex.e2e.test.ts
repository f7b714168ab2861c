import assert from "node:assert/strict"
import { test } from "node:test"
import { parse } from "yaml"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { need } from "../../../../dev/testing/component.ts"
import { findCortex, startCortex } from "../../../../dev/testing/cortex.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import { writeGroup } from "../ruler/write-group.ts"
import { targetOf } from "../validation/targets.ts"
import { validateGroup } from "../validation/validate-group.ts"
import { randomGroup } from "./random-groups.testing.ts"
import { CORPUS } from "./testing.ts"

const GROUPS = 400

/** The ruler stores it, and fails to evaluate it: names of labels of a group are not validated there. */
const isOfGroupLabels = ({ path }: { readonly path: readonly unknown[] }): boolean => path[0] === "labels"

test("the real Cortex stores what is valid for it, and refuses all else", async (t) => {
  const cortex = need(t, findCortex())
  if (cortex === undefined) return
  const { url } = await startCortex(t, cortex)
  const post = async (body: string): Promise<number> => {
    const response = await fetch(`${url}/api/v1/rules/check`, {
      method: "POST",
      headers: { "x-scope-orgid": "tenant-a", "content-type": "application/yaml" },
      body,
      signal: AbortSignal.timeout(30_000),
    })
    await response.text()
    return response.status
  }
  const random = seeded(seedOf(t))
  const ofCorpus = Object.values(CORPUS).flatMap(({ text }) => groupsOf(text))
  const groups = [...ofCorpus, ...Array.from({ length: GROUPS }, () => randomGroup(random))]

  const disagreements: unknown[] = []
  let accepted = 0
  for (const given of groups) {
    const { group, problems } = validateGroup(given, targetOf("cortex-1.21"))
    const errors = problems.filter(({ severity }) => severity === "error")
    if (errors.length > 0 && errors.every(isOfGroupLabels)) continue
    // as it would be written, and else as it is
    const body = group === undefined ? JSON.stringify(given) : writeGroup(group)
    const status = await post(body)
    const expected = group === undefined ? 400 : 202
    if (status === 202) accepted++
    if (status !== expected) disagreements.push({ body, status, errors })
  }
  t.diagnostic(`${accepted} of ${groups.length} groups were accepted`)
  assert.deepEqual(disagreements, [])
})

/** Of the first document. */
function groupsOf(text: string): readonly unknown[] {
  try {
    const file = parse(text.split("\n---\n")[0] ?? "") as { readonly groups?: unknown } | null
    return Array.isArray(file?.groups) ? (file.groups as readonly unknown[]) : []
  } catch {
    return []
  }
}
