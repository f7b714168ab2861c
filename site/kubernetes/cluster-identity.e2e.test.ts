import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { parse } from "yaml"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { findKubernetes, startKubernetes } from "../../dev/testing/kubernetes.ts"

const FEDSTACK = join(import.meta.dirname, "../../bin/fedstack")
const MANIFESTS = join(import.meta.dirname, "cluster-identity")
const CRDS = join(import.meta.dirname, "testdata/cluster-identity-crds.yaml")
const ACCOUNT = "openshift-monitoring/cluster-identity"
const STRICT = ["--validate=strict", "--warnings-as-errors"]

const object = (apiVersion: string, kind: string, metadata: object, rest: object) =>
  JSON.stringify({ apiVersion, kind, metadata, ...rest })
const INFRASTRUCTURE = object(
  "config.openshift.io/v1",
  "Infrastructure",
  { name: "cluster" },
  {
    status: { infrastructureName: "demo-x7k2p", platformStatus: { type: "AWS", aws: { region: "eu-central-1" } } },
  },
)
const VERSION = object("config.openshift.io/v1", "ClusterVersion", { name: "version" }, { spec: { clusterID: "0b5a" } })
const machine = (name: string, region: string) =>
  object(
    "machine.openshift.io/v1beta1",
    "Machine",
    {
      name,
      namespace: "openshift-machine-api",
      labels: { "machine.openshift.io/cluster-api-cluster": "demo-x7k2p" },
    },
    { spec: { providerSpec: { value: { placement: { region } } } } },
  )
const NODE = object("v1", "Node", { name: "a", labels: { "topology.kubernetes.io/region": "fra" } }, {})

test("the manifests of the cluster's identity", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(outer, kube)
  const { kubectl } = kubernetes
  const apply = (...args: readonly string[]) => kubectl(["apply", ...STRICT, ...args])
  const put = (text: string) => kubectl(["apply", "-f", "-"], text)
  for (const name of ["openshift-monitoring", "openshift-machine-api"]) await kubectl(["create", "namespace", name])
  await apply("-f", join(MANIFESTS, "serviceaccount.yaml"))
  const account = await kubernetes.account(ACCOUNT)

  /** As the account, on files of its own: the first part of its line, or why not. */
  const identity = async (t: TestContext, ...args: readonly string[]): Promise<string> => {
    const { path, write } = temporaryFolder(t)
    const sources = [await write("id", "AKIA\n"), await write("key", "secret\n")]
    const flags = ["-c", "-r", "-o"].map((flag) => `${flag}${path}/${flag}/file`)
    const child = start(FEDSTACK, ["cluster-identity", ...flags, `-a${sources[0]}`, `-A${sources[1]}`, ...args], {
      KUBECONFIG: account,
    })
    t.after(() => child.stop())
    const code = await child.ended
    if (code !== 0) return `${code} ${child.output()}`
    assert.equal(
      readFileSync(join(path, "-o/file"), "utf8"),
      "[default]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n",
    )
    return child.output().split(";")[0] ?? ""
  }
  /** With the rights of one file, and of nothing else. */
  const withRights = async (file: string, work: () => Promise<void>): Promise<void> => {
    await apply("-f", join(MANIFESTS, file))
    await work()
    await kubectl(["delete", "-f", join(MANIFESTS, file)])
  }

  await outer.test("on plain Kubernetes the account needs one namespace and the list of nodes", async (t) => {
    await put(NODE)
    const uid = await kubectl(["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"])
    await withRights("rbac-kubernetes.yaml", async () => {
      const expected = `cluster id ${uid} (namespaces/kube-system), region fra (the label of the first node)`
      assert.equal(await identity(t), expected)
      assert.equal(await identity(t, "--cluster-id-source=kube-system"), expected)
    })
  })

  await outer.test("OpenShift's kinds are there", async () => {
    await apply("-f", CRDS)
    await kubectl(["wait", "--for=condition=Established", "-f", CRDS])
    for (const text of [INFRASTRUCTURE, VERSION, machine("b", "us-east-1"), machine("a", "eu-central-1")])
      await put(text)
  })

  await outer.test("without rights it ends with 4 and the rules that it needs", async (t) => {
    assert.match(
      await identity(t),
      /^4 fedstack: Kubernetes refused to get infrastructures[^]*resources: \[infrastructures\], verbs: \[get\]\}[^]*resources: \[machines\], verbs: \[list\]\}[^]*$/,
    )
  })

  const infrastructure = "infrastructures.config.openshift.io/cluster"
  for (const [file, args, expected] of [
    [
      "rbac-infrastructure.yaml",
      [],
      `cluster id demo-x7k2p (${infrastructure}), region eu-central-1 (${infrastructure})`,
    ],
    ["rbac-machine.yaml", [], "cluster id demo-x7k2p (the first Machine), region eu-central-1 (the first Machine)"],
    [
      "rbac-clusterversion.yaml",
      ["--cluster-id-source=clusterversion", "--region=x"],
      "cluster id 0b5a (clusterversions.config.openshift.io/version), region x (--region)",
    ],
  ] as const) {
    await outer.test(`${file} is enough for its source`, (t) =>
      withRights(file, async () => assert.equal(await identity(t, ...args), expected)),
    )
  }

  await outer.test("the rights of the original's README are enough", async (t) => {
    await apply("-f", join(import.meta.dirname, "testdata/cluster-identity-original.yaml"))
    assert.equal(
      await identity(t),
      "cluster id demo-x7k2p (the first Machine), region eu-central-1 (the first Machine)",
    )
    await kubectl(["delete", "-f", join(import.meta.dirname, "testdata/cluster-identity-original.yaml")])
  })

  await outer.test("a real API takes every manifest, without a warning", async () => {
    await apply("-k", MANIFESTS)
    for (const file of ["deployment.yaml", "prometheus.yaml"]) await apply("-f", join(MANIFESTS, file))
  })

  await outer.test("the pods keep to the strictest of the pod security standards", async () => {
    await kubectl(["create", "namespace", "strict"])
    await kubectl(["label", "namespace", "strict", "pod-security.kubernetes.io/enforce=restricted"])
    await kubectl(["create", "serviceaccount", "cluster-identity", "-n", "strict"])
    for (const file of ["deployment.yaml", "prometheus.yaml"]) {
      const { spec } = parse(readFileSync(join(MANIFESTS, file), "utf8")) as { spec: { template: { spec: object } } }
      const pod = object("v1", "Pod", { name: file.replace(".yaml", "") }, { spec: spec.template.spec })
      await kubectl(["apply", "-n", "strict", "-f", "-"], pod)
    }
  })
})
