import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { startKubernetes } from "../../../../dev/testing/kubernetes.ts"
import { until } from "../../../../dev/testing/until.ts"
import { readSettings } from "#core/config/read-settings.ts"
import { openKubernetes } from "#core/kubernetes/api.ts"
import { discoverKinds } from "#core/kubernetes/discovery.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import type { KubernetesObject, Resource } from "#core/kubernetes/resource.ts"
import { createLogger } from "#core/log/logger.ts"
import { CRDS, crdOf, type OwnCrd } from "./crds.testing.ts"
import { KINDS } from "./kinds/all.ts"
import { command } from "./main.ts"

/** An object as a file holds it. */
export interface Document extends KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: unknown
}

export type RealCluster = Awaited<ReturnType<typeof startCluster>>

/** A real Kubernetes API and what is done with it as an admin. */
export async function startCluster(t: TestContext, kube: string) {
  const kubernetes = await startKubernetes(t, kube)
  const api = await openKubernetes({ kubeconfig: kubernetes.kubeconfig, env: {} })
  t.after(() => api.close())
  const { signal } = t
  const namespaces = new Set(["default"])

  const objects = (document: Document) => objectsOf<Document>(api, resourceOf(document))
  return {
    ...kubernetes,
    api,
    /** Until the API serves them. */
    async addCrds(crds: readonly OwnCrd[]): Promise<void> {
      await Promise.all(crds.map((crd) => objectsOf(api, CRDS).create(crdOf(crd), signal)))
      await until("the CRDs", async () => {
        const served = await Promise.all(crds.map(({ group }) => discoverKinds(api, group, signal)))
        return crds.every(({ plural }, index) => served[index]?.has(plural)) ? true : undefined
      })
    },
    /** Creates an object and writes its status, as a controller does. It is gone after the test. */
    async add(inner: TestContext, document: Document): Promise<Document> {
      const { namespace, name, generation = 1 } = document.metadata
      if (namespace !== undefined && !namespaces.has(namespace)) {
        namespaces.add(namespace)
        await kubernetes.kubectl(["create", "namespace", namespace])
      }
      const { status, metadata, ...rest } = document
      const stored = objects(document)
      // each change of the spec is a generation, and the last one is as the document has it
      const specAt = (at: number) => (at < generation ? changed(document, at) : document.spec)
      let made = await stored.create({ ...rest, metadata, ...withSpec(specAt(1)) }, signal)
      // after the cluster's own test it is gone as a whole
      if (inner !== t) inner.after(() => stored.delete({ namespace, name }, signal))
      for (let at = 2; at <= generation; at++) made = await stored.update({ ...made, ...withSpec(specAt(at)) }, signal)
      if (status === undefined) return made
      return stored.patch({ namespace, name }, { type: "merge", value: { status } }, signal, { subresource: "status" })
    },
    /** The same exposition by lists and by watches, without the exporter's own metrics, and what either logged. */
    async scrape(inner: TestContext, argv: readonly string[], kubeconfig = kubernetes.kubeconfig, match = /^/) {
      const [lists, watches] = [await exporterOf(inner, argv, kubeconfig), await watching(inner, argv, kubeconfig)]
      return until(`${match.source} in both`, async () => {
        const [listed, watched] = await Promise.all([lists.read(), watches.read()])
        if (!match.test(listed) || !match.test(watched)) return undefined
        return { listed, watched, logs: { lists: lists.logs, watches: watches.logs } }
      })
    },
  }
}

const watching = (t: TestContext, argv: readonly string[], kubeconfig: string) =>
  exporterOf(t, [...argv, "--kubernetes.watch"], kubeconfig)

/** The exporter with these arguments, once it is ready. */
export async function exporterOf(t: TestContext, argv: readonly string[], kubeconfig: string) {
  const logs: string[] = []
  const own = [`--kubeconfig=${kubeconfig}`, "--web.listen-address=127.0.0.1:0"]
  const usage = { command: "fedstack exporter gateway-api", summary: "", settings: command.settings }
  const reading = readSettings(usage, [...argv, ...own], {})
  assert(reading.kind === "values")
  const running = await command.run(reading.values, {
    log: createLogger({ level: "warn", format: "logfmt" }, "test", (line) => void logs.push(line)),
    signal: t.signal,
    print: () => undefined,
    env: { PATH: process.env.PATH },
    now: () => new Date(),
  })
  assert(running !== undefined)
  t.after(() => running.close())
  const url = `http://127.0.0.1:${running.addresses[0]?.port}`
  await until("the exporter to be ready", async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined))
  return {
    url,
    logs,
    async read(): Promise<string> {
      const text = await (await fetch(`${url}/metrics`)).text()
      return text
        .replace(/^# HELP fedstack_exporter_.*/ms, "")
        .split(/(?<=\n)/)
        .filter((line) => !/^(?:# \w+ )?gateway_metrics_watch_/.test(line)) // which the other mode does not have
        .join("")
    },
  }
}

function resourceOf({ apiVersion, kind: name }: Document): Resource<Document> {
  const [group = "", version = ""] = apiVersion.split("/")
  const plural = KINDS.find(({ kind }) => kind === name)?.plural ?? ""
  return { group, version, plural, kind: name }
}

function withSpec(spec: Document["spec"]): Pick<Document, "spec"> {
  return spec === undefined ? {} : { spec }
}

function changed({ kind, spec }: Document, at: number): Readonly<Record<string, unknown>> {
  return kind === "Gateway"
    ? { ...spec, infrastructure: { labels: { at: `g${at}` } } }
    : { ...spec, hostnames: [`g${at}.example.com`] }
}
