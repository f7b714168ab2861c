import { execFile, execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Found } from "./component.ts"
import { freePort } from "./free-port.ts"

const run = promisify(execFile)

/** The program that starts a real Kubernetes API: FEDSTACK_KUBE. */
export function findKubernetes(): Found<string> {
  const kube = process.env.FEDSTACK_KUBE ?? ""
  return existsSync(kube) ? { value: kube } : { missing: "no Kubernetes API: set FEDSTACK_KUBE to a kube script" }
}

/** A test, or anything else with an `after` hook. */
export interface Cleanup {
  after(close: () => Promise<void>): void
}

export interface RunningKubernetes {
  /** Path of the kubeconfig of an admin. */
  readonly kubeconfig: string
  readonly server: string
  /** kubectl as that admin; `input` is what `-f -` reads. Its standard output. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>
  /** A kubeconfig by a service account's token, which may do only this in the whole cluster, or what bindings allow it. */
  readonly account: (name: string, verbs?: string, resources?: string) => Promise<string>
  /** The CRDs of Gateway API. */
  install(channel: "standard" | "experimental"): Promise<void>
  /** Every older version is forgotten. */
  compact(): Promise<void>
  /** Ends the API as an administrator does, or with SIGKILL. etcd goes on. */
  stopApi(how?: "torn"): Promise<void>
  startApi(): Promise<void>
}

/** An API with a state of its own, gone after the test. */
export async function startKubernetes(t: Cleanup, kube: string): Promise<RunningKubernetes> {
  const state = await mkdtemp(join(tmpdir(), "fedstack-kubernetes-"))
  const [port, etcd] = await Promise.all([freePort(), freePort()])
  const env = { ...process.env, KUBE_STATE: state, KUBE_PORT: String(port), KUBE_ETCD_PORT: String(etcd) }
  const call = async (...args: readonly string[]): Promise<string> =>
    (await run(kube, args, { env, maxBuffer: 268_435_456 })).stdout
  // also when a signal ends the test process before the test is over
  const orphans = (): void => void execFileSync(kube, ["down"], { env, stdio: "ignore" })
  process.once("exit", orphans)
  t.after(async () => {
    await call("down")
    process.off("exit", orphans)
    await rm(state, { recursive: true, force: true })
  })
  // on a busy machine the script takes a process for dead that has not become the API yet; the second time it waits for it
  const up = (): Promise<string> => call("up").catch(() => call("up"))
  const kubeconfig = (await up()).trim()
  const server = `https://127.0.0.1:${port}`
  return {
    kubeconfig,
    server,
    async kubectl(args, input) {
      const running = run(kube, ["kubectl", ...args], { env, maxBuffer: 268_435_456 })
      running.child.stdin?.end(input)
      return (await running).stdout
    },
    async account(name, verbs, resources) {
      const rights = verbs === undefined || resources === undefined ? [] : [verbs, resources]
      const token = (await call("account", name, ...rights)).trim()
      const file = join(state, `${name.replace("/", "-")}.kubeconfig`)
      await writeFile(file, kubeconfigOf(server, join(state, "pki/ca.crt"), token), { mode: 0o600 })
      return file
    },
    install: async (channel) => void (await call("crds", "gateway-api", channel)),
    compact: async () => void (await call("compact")),
    async stopApi(how) {
      if (how === "torn") process.kill(Number(readFileSync(join(state, "run/kube-apiserver.pid"), "utf8")), "SIGKILL")
      await call("down", "api")
    },
    startApi: async () => void (await up()),
  }
}

/** A kubeconfig with one context, of a token. */
export function kubeconfigOf(server: string, ca: string, token: string): string {
  return JSON.stringify({
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster: { server, "certificate-authority": ca } }],
    users: [{ name: "test", user: { token } }],
  })
}
