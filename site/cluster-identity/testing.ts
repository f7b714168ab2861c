import { execFile } from "node:child_process"
import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"

export const FEDSTACK = join(import.meta.dirname, "../../bin/fedstack")

export interface FakeResponse {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** The connection ends without a response, or none ever comes. */
  readonly fault?: "reset" | "silence"
}
/** Several are given one after the other, the last one for all that follow. */
export type Routes = Readonly<Record<string, FakeResponse | readonly FakeResponse[]>>

export const INFRASTRUCTURE = "/apis/config.openshift.io/v1/infrastructures/cluster"
export const CLUSTER_VERSION = "/apis/config.openshift.io/v1/clusterversions/version"
export const MACHINES = "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machines"
export const KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
export const NODES = "/api/v1/nodes"

export const FORBIDDEN: FakeResponse = { status: 403, body: { reason: "Forbidden", message: "forbidden" } }
export const object = (body: object): FakeResponse => ({ body: { metadata: { name: "cluster" }, ...body } })
export const list = (...items: readonly object[]): FakeResponse => ({
  body: { metadata: { resourceVersion: "1" }, items },
})
export const AWS = object({
  status: { infrastructureName: "demo-x7k2p", platformStatus: { type: "AWS", aws: { region: "eu-central-1" } } },
})
export const machine = (name: string, value: object, labels: object = ID): object => ({
  metadata: { name, labels },
  spec: { providerSpec: { value } },
})
export const ID = { "machine.openshift.io/cluster-api-cluster": "demo-x7k2p" }
/** How discovery responds where a group is served. */
export const served = (group: string, version: string, ...plurals: readonly string[]): Routes => ({
  [`/apis/${group}`]: { body: { versions: [{ version }], preferredVersion: { version } } },
  [`/apis/${group}/${version}`]: {
    body: { resources: plurals.map((name) => ({ name, kind: name, namespaced: true })) },
  },
})

/** An API by hand, all else in it missing, and a folder for the files of the command. */
export async function serveCluster(t: TestContext, routes: Routes) {
  const requests: string[] = []
  const server = createServer(({ url = "" }, response) => {
    const [path = ""] = url.split("?")
    const given = routes[path] ?? { status: 404, body: { reason: "NotFound", message: "not found" } }
    const all = (Array.isArray(given) ? given : [given]) as readonly FakeResponse[]
    const before = requests.filter((request) => request === path).length
    requests.push(path)
    respond(response, all[before] ?? all.at(-1) ?? {})
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const folder = temporaryFolder(t)
  const { port } = server.address() as AddressInfo
  const config = {
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: "test", user: {} }],
  }
  const kubeconfig = await folder.write("kubeconfig", JSON.stringify(config))
  return { ...folder, requests, kubeconfig, args: argsIn(folder.path), url: `http://127.0.0.1:${port}` }
}

function respond(response: ServerResponse, { status = 200, headers = {}, body = {}, fault }: FakeResponse): void {
  if (fault === "reset") response.destroy()
  else if (fault === undefined) response.writeHead(status, headers).end(JSON.stringify(body))
}

/** The original's flags, for files below a folder instead of at the root. */
export const argsIn = (folder: string): readonly string[] => [
  `-c${folder}/config/env/CLUSTERID`,
  `-r${folder}/secrets/aws/config.ini`,
  `-o${folder}/secrets/aws/credentials.ini`,
  `-a${folder}/rawsecrets/aws_access_key_id`,
  `-A${folder}/rawsecrets/aws_secret_access_key`,
]

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** `fedstack cluster-identity`, to its end. */
export function runIdentity(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      FEDSTACK,
      ["cluster-identity", ...args],
      { env: { ...process.env, ...env } },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}
