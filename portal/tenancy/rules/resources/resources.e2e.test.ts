import assert from "node:assert/strict"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { openKubernetes } from "#core/kubernetes/api.ts"
import { createLogger } from "#core/log/logger.ts"
import { need } from "../../../../dev/testing/component.ts"
import { findKubernetes, type RunningKubernetes, startKubernetes } from "../../../../dev/testing/kubernetes.ts"
import { until } from "../../../../dev/testing/until.ts"
import { giveUpOverdue, timeDeletions } from "./give-up.ts"
import { createLedger } from "./ledger.ts"
import { releaseNamespace } from "./release-namespaces.ts"
import { FINALIZER, FORCE_DELETE, type RuleResource } from "./rule-resource.ts"
import type { OwnedGroup } from "./status.ts"
import { type NamespaceScope, watchResources } from "./watch-resources.ts"

const CRD = join(import.meta.dirname, "../../../kubernetes/openmetricsrule/customresourcedefinition.yaml")
const { signal } = new AbortController()
const NOW = "2026-01-02T03:04:05Z"

const owned = (group: string, ...tenants: readonly string[]): OwnedGroup => ({
  ...{ ruler: "cortex", namespace: "one", group, tenants },
})
const reported = (status: "True" | "False", reason: string) => ({
  observedGeneration: 1,
  conditions: [{ type: "Synced" as const, status, reason, message: `${reason}.`, observedGeneration: 1 }],
})

test("resources of a real Kubernetes API", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(outer, kube)
  const { kubectl } = kubernetes
  await kubectl(["apply", "-f", CRD])
  await kubectl(["wait", "--for=condition=Established", "-f", CRD])
  for (const namespace of ["one", "two", "three"]) await kubectl(["create", "namespace", namespace])
  const apply = (namespace: string, name: string, spec: object = {}) =>
    kubectl(["apply", "-f", "-"], JSON.stringify(object(namespace, name, spec)))
  const read = async (namespace: string, name: string) =>
    JSON.parse(await kubectl(["get", "openmetricsrule", "-n", namespace, name, "-o", "json"])) as RuleResource
  const remove = (namespace: string, name: string) =>
    kubectl(["delete", "openmetricsrule", "-n", namespace, name, "--wait=false"])

  await outer.test("a finalizer is set before the first group is recorded, beside those of others", async (t) => {
    await apply("one", "owning")
    const other = "example.org/theirs"
    await kubectl(["patch", "openmetricsrule", "-n", "one", "owning", "--type=merge", "-p", finalizers(other)])
    const { ledger, writes, known } = await open(t, kubernetes, ["one"])
    await known("one/owning")
    await ledger.record("one/owning", [owned("a", "red", "blue")], signal)
    assert.deepEqual(writes, ["finalizer", "status"])
    const { metadata, status } = await read("one", "owning")
    assert.deepEqual([metadata.finalizers, status], [[other, FINALIZER], { owned: [owned("a", "red", "blue")] }])
    // before the watch has seen it
    assert.deepEqual(ledger.owned("one/owning"), [owned("a", "red", "blue")])
    await ledger.record("one/owning", [owned("a", "red", "blue")], signal)
    assert.deepEqual(writes, ["finalizer", "status"])

    await remove("one", "owning")
    await ledger.record("one/owning", [], signal)
    await ledger.release("one/owning", signal)
    assert.deepEqual((await read("one", "owning")).metadata.finalizers, [other])
    await kubectl(["patch", "openmetricsrule", "-n", "one", "owning", "--type=merge", "-p", finalizers()])
    await known("one/owning", false)
    await ledger.release("one/owning", signal)
  })

  await outer.test("a status is written where it differs, and dates only conditions that changed", async (t) => {
    await apply("one", "reported")
    const status = JSON.stringify({ status: { ruler_updated: true } })
    const patch = ["patch", "openmetricsrule", "-n", "one", "reported", "--subresource=status", "--type=merge"]
    await kubectl([...patch, "-p", status])
    const { ledger, writes, changes, known, clock } = await open(t, kubernetes, ["one"])
    await known("one/reported")
    const tenants = [{ tenant: "red", ruler: "cortex", synced: false }]
    await ledger.report("one/reported", { ...reported("False", "RulerUnreachable"), tenants }, signal)
    await ledger.report("one/reported", { ...reported("False", "RulerUnreachable"), tenants }, signal)
    clock.now = "2026-01-02T03:05:06Z"
    await ledger.report("one/reported", reported("False", "GroupRefused"), signal)
    const [condition] = reported("False", "GroupRefused").conditions
    assert.deepEqual((await read("one", "reported")).status, {
      observedGeneration: 1,
      conditions: [{ ...condition, lastTransitionTime: NOW }],
    })
    await ledger.report("one/reported", reported("True", "Synced"), signal)
    const [last] = (await read("one", "reported")).status?.conditions ?? []
    assert.equal(last?.lastTransitionTime, clock.now)
    assert.deepEqual(writes, ["status", "status", "status"])
    assert.deepEqual(changes, [
      "one/reported False RulerUnreachable",
      "one/reported False GroupRefused",
      "one/reported True Synced",
    ])
  })

  await outer.test("writes again after a change by a user, and refuses where another informer wrote", async (t) => {
    await apply("one", "contested")
    const { ledger, known, conflicts } = await open(t, kubernetes, ["one"], { behind: true })
    await known("one/contested")
    await apply("one", "contested", { description: "changed" })
    await ledger.record("one/contested", [owned("a", "red")], signal)
    assert.equal(conflicts(), 1)
    assert.deepEqual((await read("one", "contested")).status?.owned, [owned("a", "red")])

    const status = JSON.stringify({ status: { owned: [owned("b", "red")] } })
    const patch = ["patch", "openmetricsrule", "-n", "one", "contested", "--subresource=status", "--type=merge"]
    await kubectl([...patch, "-p", status])
    for (const _ of ["at once", "again"])
      await assert.rejects(ledger.record("one/contested", [], signal), {
        message:
          "the status of one/contested was changed by another client: where another rules-informer is at work, give both the same --lease-name and --lease-namespace, or no namespace in common",
      })
    assert.deepEqual(ledger.owned("one/contested"), [owned("b", "red")])
    await ledger.record("one/contested", [owned("a", "red"), owned("b", "red")], signal)
    assert.deepEqual((await read("one", "contested")).status?.owned, [owned("a", "red"), owned("b", "red")])
  })

  await outer.test("never writes to another resource that has the name meanwhile", async (t) => {
    await apply("one", "replaced")
    const { ledger, known } = await open(t, kubernetes, ["one"], { behind: true })
    await known("one/replaced")
    await remove("one", "replaced")
    await apply("one", "replaced")
    const gone = { message: "one/replaced was deleted, or replaced by another of its name, meanwhile" }
    await assert.rejects(ledger.record("one/replaced", [owned("a", "red")], signal), gone)
    await assert.rejects(ledger.report("one/replaced", reported("True", "Synced"), signal), gone)
    const { metadata, status } = await read("one", "replaced")
    assert.deepEqual([metadata.finalizers, status], [undefined, undefined])
    await remove("one", "replaced")
    await assert.rejects(ledger.report("one/replaced", reported("True", "Synced"), signal), gone)
  })

  await outer.test("sets no finalizer where groups are never removed", async (t) => {
    await apply("one", "kept")
    const { ledger, known, writes } = await open(t, kubernetes, ["one"], { finalizers: false })
    await known("one/kept")
    await ledger.record("one/kept", [owned("a", "red")], signal)
    assert.deepEqual(writes, ["status"])
  })

  await outer.test(
    "lets deleted resources go after the deadline or by the annotation, also in a namespace that ends",
    async (t) => {
      for (const name of ["forced", "late"]) await apply("three", name)
      const { ledger, known, source, clock } = await open(t, kubernetes, ["three"])
      for (const name of ["forced", "late"]) {
        await known(`three/${name}`)
        await ledger.record(`three/${name}`, [owned(name, "red", "blue"), owned("b", "red")], signal)
      }
      await kubectl(["delete", "namespace", "three", "--wait=false"])
      for (const name of ["forced", "late"]) await remove("three", name) // as the namespace's controller does
      await kubectl(["annotate", "openmetricsrule", "-n", "three", "forced", `${FORCE_DELETE}=true`])
      const isDeleted = (name: string) => {
        const { deletionTimestamp, annotations } = source.snapshot().resources.get(`three/${name}`)?.metadata ?? {}
        return deletionTimestamp !== undefined && (name === "late" || annotations?.[FORCE_DELETE] === "true")
      }
      await until("the deletion", () => isDeleted("forced") && isDeleted("late"))
      const gone: string[] = []
      let passed = 0
      const times = timeDeletions(
        () => new Date(clock.now),
        () => passed,
      )
      const giveUp = async (seconds: number) => {
        passed = seconds * 1000
        const at = Math.max(
          ...["forced", "late"].map((name) =>
            Date.parse(source.snapshot().resources.get(`three/${name}`)?.metadata.deletionTimestamp ?? "1970-01-01"),
          ),
        )
        clock.now = new Date(at + seconds * 1000).toISOString()
        const gaveUp = ({ metadata }: RuleResource, left: readonly OwnedGroup[], why: string) =>
          void gone.push(
            `${metadata.name}: ${left.map(({ group }) => group).join(" ")}, ${why.replace(/\d+ s/, "N s")}`,
          )
        await giveUpOverdue(source, ledger, { deadline: 60, times, gaveUp }, signal)
      }
      await giveUp(0)
      await giveUp(5)
      assert.deepEqual(gone, [])
      await giveUp(30)
      assert.deepEqual(gone, ["forced: forced b, the annotation fedstack.dev/force-delete is set"])
      await known("three/forced", false)
      await ledger.report("three/late", reported("False", "RulerUnreachable"), signal)
      await giveUp(60)
      assert.deepEqual(gone.slice(1), ["late: late b, it was deleted N s ago, and --finalizer-deadline is over"])
      await known("three/late", false)
    },
  )

  await outer.test("releases a namespace that is no longer synchronised, as the documented command does", async (t) => {
    await kubectl(["create", "namespace", "former"])
    const others = "example.org/theirs"
    for (const name of ["a", "b", "c"]) await apply("former", name)
    await kubectl(["patch", "openmetricsrule", "-n", "former", "a", "--type=merge", "-p", finalizers(others)])
    const { ledger, known } = await open(t, kubernetes, ["former"])
    for (const name of ["a", "b"]) {
      await known(`former/${name}`)
      await ledger.record(`former/${name}`, [owned(name, "red")], signal)
    }
    const shown = async () =>
      Promise.all(
        ["a", "b", "c"].map(async (name) => {
          const { metadata, status } = await read("former", name)
          return `${name} ${metadata.finalizers?.join() ?? ""} ${status?.owned?.length ?? 0}`
        }),
      )
    assert.deepEqual(await shown(), [`a ${others},${FINALIZER} 1`, `b ${FINALIZER} 1`, "c  0"])
    const api = await openKubernetes({ kubeconfig: kubernetes.kubeconfig, context: undefined, env: {} })
    t.after(() => api.close())
    const released = [`a ${others} 1`, "b  1", "c  0"]
    assert.equal(await releaseNamespace(api, "former", signal), 2)
    assert.deepEqual(await shown(), released)
    assert.equal(await releaseNamespace(api, "former", signal), 0)

    const patch = ["patch", "openmetricsrule", "-n", "former", "b", "--type=merge", "-p", finalizers(FINALIZER)]
    await kubectl(patch)
    const listed = JSON.parse(await kubectl(["get", "openmetricsrules", "-n", "former", "-o", "json"])) as List
    for (const { metadata } of listed.items)
      metadata.finalizers = (metadata.finalizers ?? []).filter((one) => one !== FINALIZER) // what jq does
    await kubectl(["replace", "-f", "-"], JSON.stringify(listed))
    assert.deepEqual(await shown(), released)
    await kubectl(["patch", "openmetricsrule", "-n", "former", "a", "--type=merge", "-p", finalizers()])
  })

  await outer.test("follows namespaces by their labels, and is incomplete where it may not read", async (t) => {
    await apply("two", "labelled")
    const scope = { labelSelector: "team=a" }
    const followed = await open(t, kubernetes, scope)
    const { source, keys } = followed
    await until("the list", () => source.snapshot().incomplete.size === 0)
    assert.deepEqual(keys(), [])
    await kubectl(["label", "namespace", "two", "team=a"])
    await until("the namespace", () => keys().includes("two/labelled"))
    await kubectl(["label", "namespace", "two", "team-"])
    await until("its end", () => keys().length === 0)

    // of a namespace that lost its label
    await apply("two", "left")
    const before = await open(t, kubernetes, ["two"])
    await before.known("two/left")
    await before.ledger.record("two/left", [owned("a", "red")], signal)
    await remove("two", "left")
    await until("the deletion", () => followed.source.snapshot().outside?.has("two/left"))
    const former = followed.source.snapshot().left?.get("two") ?? []
    assert.deepEqual(
      former.map(({ metadata }) => metadata.name),
      ["left"],
    )
    const gone: string[] = []
    const gaveUp = (_: RuleResource, left: readonly OwnedGroup[]) => void gone.push(...left.map(({ group }) => group))
    let passed = 0
    const times = timeDeletions(
      () => new Date(Date.now() + 3_600_000),
      () => (passed += 60_000),
    )
    await giveUpOverdue(followed.source, followed.ledger, { deadline: 60, times, gaveUp }, signal)
    assert.deepEqual(gone, ["a"])
    await before.known("two/left", false)

    const account = await kubernetes.account("one/informer")
    await kubectl(["create", "role", "-n", "two", "rules", "--verb=list,watch", "--resource=openmetricsrules"])
    const binding = ["create", "rolebinding", "-n", "two", "rules", "--role=rules", "--serviceaccount=one:informer"]
    await kubectl(binding)
    const partial = await open(t, { ...kubernetes, kubeconfig: account }, ["one", "two"])
    await until("one of both", () => partial.keys().includes("two/labelled"))
    await until("the refusal", () => partial.source.snapshot().incomplete.get("one")?.includes("(403)"))
    assert.deepEqual([...partial.source.snapshot().incomplete.keys()], ["one"])
    assert.deepEqual(partial.keys(), ["two/labelled"])
  })

  await outer.test("explains that the CRD of the original has no status subresource", async (t) => {
    await apply("one", "old")
    const crd = ["patch", "crd", "openmetricsrules.open-metrics.vgs.io", "--type=json"]
    await kubectl([...crd, "-p", JSON.stringify([{ op: "remove", path: "/spec/versions/0/subresources" }])])
    const { ledger, known, unwritable } = await open(t, kubernetes, ["one"])
    await known("one/old")
    await until("the API to serve the CRD as it is", async () => {
      await assert.rejects(ledger.report("one/old", reported("True", "Synced"), signal), {
        message:
          "the CRD of OpenMetricsRule has no status subresource, where it is written which groups are owned: apply portal/kubernetes/openmetricsrule/customresourcedefinition.yaml",
      })
      return true
    })
    assert.match(unwritable() ?? "", /^the CRD of OpenMetricsRule has no status subresource/)
  })
})

interface OpenOptions {
  readonly finalizers?: boolean
  /** The source stays at what it knows first, as where the watch is late. */
  readonly behind?: boolean
}

async function open(
  t: TestContext,
  { kubeconfig }: Pick<RunningKubernetes, "kubeconfig">,
  scope: NamespaceScope,
  { finalizers: withFinalizers = true, behind = false }: OpenOptions = {},
) {
  const api = await openKubernetes({ kubeconfig, env: {} })
  const log = createLogger({ level: "error", format: "logfmt" }, "test", () => undefined)
  const watched = watchResources(api, scope, log)
  let frozen: ReturnType<typeof watched.snapshot> | undefined
  const source = { ...watched, snapshot: () => frozen ?? watched.snapshot() }
  t.after(async () => {
    await watched.close()
    await api.close()
  })
  await watched.first
  const writes: string[] = []
  const changes: string[] = []
  let conflicts = 0
  let unwritable: string | undefined
  const clock = { now: NOW }
  const ledger = createLedger(api, source, {
    finalizers: withFinalizers,
    now: () => new Date(clock.now),
    changed: ({ metadata }, { status, reason }) =>
      void changes.push(`${metadata.namespace}/${metadata.name} ${status} ${reason}`),
    wrote: (what) => void writes.push(what),
    conflicted: () => (conflicts += 1),
    unwritable: (reason) => (unwritable = reason),
  })
  return {
    ...{ ledger, source, writes, changes, clock },
    conflicts: () => conflicts,
    unwritable: () => unwritable,
    keys: () => [...source.snapshot().resources.keys()],
    known: async (key: string, isThere = true) => {
      await until(`${key} to be ${isThere ? "" : "un"}known`, () => source.snapshot().resources.has(key) === isThere)
      if (behind) frozen = watched.snapshot()
    },
  }
}

const finalizers = (...names: readonly string[]): string => JSON.stringify({ metadata: { finalizers: names } })

const object = (namespace: string, name: string, spec: object) => ({
  ...{ apiVersion: "open-metrics.vgs.io/v1", kind: "OpenMetricsRule" },
  ...{ metadata: { namespace, name }, spec: { tenants: ["red"], ...spec } },
})

interface List {
  readonly items: readonly { readonly metadata: { finalizers?: readonly string[] } }[]
}
