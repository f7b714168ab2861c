import assert from "node:assert/strict"
import { syncBuiltinESMExports } from "node:module"
import { test, type TestContext } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { KubernetesError } from "#core/kubernetes/errors.ts"
import type { KubernetesRequest } from "#core/kubernetes/resource.ts"
import { createLogger } from "#core/log/logger.ts"
import { releaseNamespaces } from "./release-namespaces.ts"
import { FINALIZER } from "./rule-resource.ts"

const OTHER = "example.org/theirs"
const conflict = new KubernetesError("changed meanwhile", 409, { reason: "Conflict" })
const unavailable = new KubernetesError("the API is down", 503)

/** One resource in an API that fails as `happens` says, in a time that passes only here. */
function start(
  t: TestContext,
  happens: (call: string) => Error | undefined,
  isWatched: (namespace: string) => boolean | undefined = () => false,
) {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  syncBuiltinESMExports()
  const resource = {
    metadata: { namespace: "former", name: "a", uid: "u", resourceVersion: "1", finalizers: [OTHER, FINALIZER] },
  }
  const [calls, lines]: [string[], string[]] = [[], []]
  async function send({ verb, body }: KubernetesRequest): Promise<unknown> {
    await turn()
    calls.push(verb)
    const error = happens(verb)
    if (error !== undefined) throw error
    if (verb === "list") return { metadata: { resourceVersion: "1" }, items: [structuredClone(resource)] }
    if (verb === "patch") {
      const [version, , removal] = (body ?? assert.fail("a patch has a body")).value as readonly [
        { value: string },
        unknown,
        { path: string },
      ]
      if (version.value !== resource.metadata.resourceVersion) throw conflict
      assert.equal(resource.metadata.finalizers[Number(removal.path.split("/").at(-1))], FINALIZER)
      resource.metadata.finalizers = [OTHER]
    }
    return structuredClone(resource)
  }
  const stream = () => Promise.reject(new Error("nothing is watched"))
  const api: KubernetesApi = { namespace: "own", send, stream, close: () => Promise.resolve() }
  const ending = new AbortController()
  const log = createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line))
  const over = { is: false }
  const releasing = releaseNamespaces(api, { namespaces: ["former"], isWatched, log }, ending.signal)
  void releasing.then(() => (over.is = true))
  return {
    ...{ calls, lines, ending, releasing, metadata: resource.metadata },
    /** Whether it is over after this time. */
    pass: async (seconds: number): Promise<boolean> => {
      for (let passed = 0; passed < seconds * 2 && !over.is; passed++) {
        for (let turns = 0; turns < 30; turns++) await turn()
        t.mock.timers.tick(500)
      }
      return over.is
    },
  }
}

test("releases a namespace after failures of the API, reported once, and when it is known what is synchronised", async (t) => {
  const failures = [unavailable, unavailable, unavailable]
  const known = [undefined, undefined]
  const { calls, lines, metadata, pass } = start(
    t,
    (call) => (call === "list" ? failures.shift() : undefined),
    () => (known.length > 0 ? known.pop() : false),
  )
  assert.equal(await pass(120), true)
  assert.deepEqual(metadata.finalizers, [OTHER])
  assert.deepEqual(calls, ["list", "list", "list", "list", "patch"])
  assert.equal(lines.length, 2)
  assert.match(
    lines[0] ?? "",
    /level=warn .*releasing a namespace failed, retrying until it succeeds" namespace=former/,
  )
  assert.match(
    lines[1] ?? "",
    /level=info .*namespace released, its groups stay at the rulers" namespace=former resources=1/,
  )
})

test("releases a resource that another client changes meanwhile, in its newest version", async (t) => {
  let isChanged = false
  const { calls, metadata, pass } = start(t, (call) => {
    if (call !== "patch" || isChanged) return undefined
    isChanged = true
    metadata.resourceVersion = "2"
    metadata.finalizers = [FINALIZER, OTHER]
    return conflict
  })
  assert.equal(await pass(5), true)
  assert.deepEqual(metadata.finalizers, [OTHER])
  assert.deepEqual(calls, ["list", "patch", "get", "patch"])
})

test("begins anew where every version of a resource conflicts, and ends with the signal", async (t) => {
  const { calls, ending, releasing, pass } = start(t, (call) => (call === "patch" ? conflict : undefined))
  assert.equal(await pass(30), false)
  assert.deepEqual(calls.slice(0, 12), ["list", ...Array.from({ length: 5 }, () => ["patch", "get"]).flat(), "patch"])
  assert.ok(calls.filter((call) => call === "list").length < 12)
  ending.abort()
  await releasing
})

test("leaves a namespace alone that is synchronised", async (t) => {
  const { calls, lines, pass } = start(
    t,
    () => undefined,
    () => true,
  )
  assert.equal(await pass(5), true)
  assert.deepEqual(calls, [])
  assert.match(lines.join(""), /--release-namespace has no effect: the namespace is synchronised/)
})
