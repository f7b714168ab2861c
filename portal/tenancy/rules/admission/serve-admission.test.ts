import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import fc from "fast-check"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import { serve } from "#core/http/server.ts"
import { createAdmissionMetrics } from "./metrics.ts"
import { addAdmission, ADMISSION_PATH } from "./serve-admission.ts"
import { group, judging, resource, review } from "./testing.ts"

async function startWebhook(t: TestContext) {
  const lines: string[] = []
  const log = createLogger({ level: "debug", format: "logfmt" }, "test", (line) => lines.push(line))
  const registry = new Registry()
  const metrics = createAdmissionMetrics(registry)
  const serving = await serve({
    addresses: [{ host: "127.0.0.1", port: 0 }],
    webConfigFile: undefined,
    log,
    routes: (app, closing) => addAdmission(app, { ...judging, metrics, log, milliseconds: () => 0 }, closing),
  })
  t.after(() => serving.close())
  const url = `http://127.0.0.1:${serving.addresses[0]?.port}${ADMISSION_PATH}`
  return {
    lines,
    post: async (body: string | Uint8Array<ArrayBuffer>) => {
      const headers = { "content-type": "application/json" }
      const response = await fetch(`${url}?timeout=5s`, { method: "POST", body, headers })
      return [response.status, await response.text()] as const
    },
    outcomes: async () => (await registry.metrics()).match(/^fedstack_rules_admission_requests_total.*[1-9]$/gm),
  }
}

test("responds with a review that allows, with warnings, or denies", async (t) => {
  const { post, outcomes, lines } = await startWebhook(t)
  const answer = (response: object) =>
    JSON.stringify({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: "1-2-3", ...response },
    })
  assert.deepEqual(await post(JSON.stringify(review({ object: resource([group("a", "odd")]) }))), [
    200,
    answer({
      allowed: true,
      warnings: ['not checked: group "a" rules[0].expr (alert "Is odd"): chains of 650 operators'],
    }),
  ])
  assert.deepEqual(await post(JSON.stringify(review({ object: resource([group("a", "bad")]) }))), [
    200,
    answer({
      allowed: false,
      status: {
        code: 422,
        reason: "Invalid",
        message: '1 problem for cortex-1.21:\n  group "a" rules[0].expr (alert "Is bad"), character 2: unexpected d',
      },
    }),
  ])
  assert.deepEqual(await outcomes(), [
    'fedstack_rules_admission_requests_total{outcome="allowed"} 1',
    'fedstack_rules_admission_requests_total{outcome="denied"} 1',
  ])
  assert.match(lines.at(-1) ?? "", /level=info .*msg="resource denied by the admission webhook".* resource=x\/a/)
})

const NOT = "This is no request that can be checked here: "
const refused: Readonly<Record<string, readonly [body: string, status: number, text: string]>> = {
  "no body": ["", 400, `${NOT}the body is not JSON.`],
  "half a body": ['{"kind": "Admiss', 400, `${NOT}the body is not JSON.`],
  "a list": ["[]", 400, `${NOT}the body is no AdmissionReview.`],
  "another kind": ['{"kind": "TokenReview"}', 400, `${NOT}the body is no AdmissionReview.`],
  "the version before": [
    JSON.stringify({ ...review({}), apiVersion: "admission.k8s.io/v1beta1" }),
    400,
    `${NOT}the AdmissionReview is not of admission.k8s.io/v1; set admissionReviewVersions: [v1].`,
  ],
  "no request": [JSON.stringify({ ...review({}), request: null }), 400, `${NOT}the AdmissionReview has no request.`],
  "no uid": [JSON.stringify(review({ uid: "" })), 400, `${NOT}the request has no uid.`],
  "no operation": [JSON.stringify(review({ operation: 1 })), 400, `${NOT}the request has no operation.`],
  "other resources": [
    JSON.stringify(review({ resource: { group: "", version: "v1", resource: "pods" } })),
    400,
    `${NOT}it is about other resources than openmetricsrules.open-metrics.vgs.io.`,
  ],
  "100,000 levels": [`{"kind":${"[".repeat(100_000)}`, 400, `${NOT}the body has more than 64 levels.`],
  "9 MB": [" ".repeat(9e6), 413, "The body of the request is too large."],
}
for (const [what, [body, status, text]] of Object.entries(refused))
  test(`refuses ${what}`, async (t) => {
    const { post } = await startWebhook(t)
    assert.deepEqual(await post(body), [status, `${text}\n`])
  })

test("responds to any review and to any bytes, and goes on", async (t) => {
  const { post } = await startWebhook(t)
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => new Uint8Array(bytes)),
    fc.json({ maxDepth: 4 }),
    fc.object({ maxDepth: 6 }).map((object) => JSON.stringify(review({ object }))),
    fc
      .record({ tenants: fc.anything(), groups: fc.oneof(fc.array(fc.anything({ maxDepth: 5 })), fc.anything()) })
      .map((spec) => JSON.stringify(review({ operation: "UPDATE", object: { spec }, oldObject: {} }), noBigInt)),
  )
  await fc.assert(
    fc.asyncProperty(any, async (body) => {
      const [status] = await post(body)
      assert.ok(status === 200 || status === 400, String(status))
    }),
    { numRuns: 300 },
  )
})

const noBigInt = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value)
