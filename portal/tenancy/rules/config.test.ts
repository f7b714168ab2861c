import assert from "node:assert/strict"
import { hostname } from "node:os"
import { test } from "node:test"
import { listeningOf } from "#core/http/settings.ts"
import { checkDeletionTimes, identityOf, scopeOf } from "./config.ts"
import { valuesOf } from "./testing.ts"

test("has the original's flags and variables, with its defaults", () => {
  const values = valuesOf([])
  assert.deepEqual(listeningOf(values).addresses, [{ host: "127.0.0.1", port: 20_093 }])
  assert.deepEqual([values.updaterPollIntervalSeconds, values.enableUpdaterRemoveRules], [40, true])
  const original = ["--port", "1", "--interface", "0.0.0.0", "--updater-poll-interval-seconds", "0"]
  const given = valuesOf([...original, "--enable-updater-remove-rules"], { OPEN_METRICS_INFORMER_NAMESPACE: "rules" })
  assert.deepEqual(listeningOf(given).addresses, [{ host: "0.0.0.0", port: 1 }])
  assert.deepEqual([given.updaterPollIntervalSeconds, given.enableUpdaterRemoveRules], [0, true])
  assert.deepEqual(scopeOf(given, "own"), ["rules"])
})

test("deletes no groups where that is switched off, by the flag or its variable", () => {
  const removes = (argv: readonly string[], env = {}) => valuesOf(argv, env).enableUpdaterRemoveRules
  assert.equal(removes(["--enable-updater-remove-rules=false"]), false)
  assert.equal(removes(["--enable-updater-remove-rules", "true"]), true)
  assert.equal(removes([], { FEDSTACK_ENABLE_UPDATER_REMOVE_RULES: "false" }), false)
  assert.equal(removes(["--enable-updater-remove-rules", "--port", "1"]), true)
})

test("synchronises its own namespace, those of a list, all, or those with labels", () => {
  const scope = (argv: readonly string[], env = {}) => scopeOf(valuesOf(argv, env), "own")
  assert.deepEqual(scope([]), ["own"])
  assert.deepEqual(scope(["--namespace", "a,b", "--namespace", "b", "--namespace", "c"]), ["a", "b", "c"])
  assert.deepEqual(scope([], { FEDSTACK_NAMESPACE: "a,b" }), ["a", "b"])
  assert.deepEqual(scope(["--all-namespaces"]), "all")
  assert.deepEqual(scope(["--namespace-selector", " team in (a,b) "]), { labelSelector: "team in (a,b)" })
})

const REFUSED: readonly (readonly [argv: readonly string[], message: string])[] = [
  [["--all-namespaces", "--namespace", "a"], "--namespace: has no effect with --all-namespaces"],
  [["--namespace-selector", "a", "--namespace", "a"], "--namespace: has no effect with --namespace-selector"],
  [["--namespace-selector", "a", "--all-namespaces"], "--all-namespaces: has no effect with --namespace-selector"],
  [["--namespace", "A/B"], '--namespace: must be the name of a Kubernetes namespace (is "A/B")'],
  [["--namespace-selector", " "], '--namespace-selector: must be labels such as team=a,env!=dev (is " ")'],
  [
    ["--ruler-namespace-template", "rules"],
    '--ruler-namespace-template: must contain {namespace}, {name} or {uid} (is "rules")',
  ],
  [["--finalizer-deadline", "1s"], '--finalizer-deadline: must be at least 10s (is "1s")'],
  [["--deletion-grace", "2h"], '--deletion-grace: must be from 0s to 1h (is "2h")'],
]

for (const [argv, message] of REFUSED)
  test(`refuses ${argv.join(" ")}`, () => {
    assert.throws(() => scopeOf(valuesOf(argv), "own"), { message })
  })

test("refuses a grace for deletions that ends after half of the time in which deleted resources are let go", () => {
  const message =
    "--deletion-grace: must be at most half of --finalizer-deadline: deleted resources would be let go with their groups at the ruler"
  checkDeletionTimes(valuesOf(["--deletion-grace", "30s", "--finalizer-deadline", "1m"]))
  assert.throws(() => checkDeletionTimes(valuesOf(["--deletion-grace", "31s", "--finalizer-deadline", "1m"])), {
    message,
  })
})

test("holds the Lease under a name of this process, or one that is given", () => {
  assert.equal(identityOf(valuesOf([])), `${hostname()}_${process.pid}`)
  assert.equal(identityOf(valuesOf(["--lease-identity", "first"])), "first")
})
