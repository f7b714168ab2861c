import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { type ClusterSource, readKubeconfig } from "./kubeconfig.ts"

const kubeconfig = (name: string, user: object = { token: `token of ${name}` }, current = name): string =>
  JSON.stringify({
    "current-context": current,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: `https://${name}.example.org`, "certificate-authority": "ca.crt" } }],
    users: [{ name, user }],
  })

/** What a request would be sent with. */
async function sent(source: ClusterSource) {
  const config = await readKubeconfig(source)
  const options: { headers?: Record<string, unknown>; ca?: unknown } = {}
  await config.applyToHTTPSOptions(options as never)
  return {
    server: config.getCurrentCluster()?.server,
    namespace: config.getContextObject(config.currentContext)?.namespace,
    authorization: options.headers?.["Authorization"],
    ca: String(options.ca),
  }
}

test("a kubeconfig wins over a pod's service account, paths count from the file's folder", async (t) => {
  const { path, write } = temporaryFolder(t)
  await write("ca.crt", "CA beside it")
  await write("account/token", "of the pod")
  const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1" }
  const file = await write("config", kubeconfig("one"))
  assert.deepEqual(await sent({ kubeconfig: file, env, serviceAccount: `${path}/account` }), {
    server: "https://one.example.org",
    namespace: undefined,
    authorization: "Bearer token of one",
    ca: "CA beside it",
  })
})

test("a pod's service account and namespace are used in it", async (t) => {
  const { path, write } = temporaryFolder(t)
  await write("token", "of the pod")
  await write("ca.crt", "CA of the cluster")
  await write("namespace", "opa\n")
  const account = { namespace: "opa", authorization: "Bearer of the pod", ca: "CA of the cluster" }
  const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "6443" }
  assert.deepEqual(await sent({ env, serviceAccount: path }), { server: "https://10.0.0.1:6443", ...account })
  const six = { KUBERNETES_SERVICE_HOST: "fd00::1", HOME: path }
  assert.deepEqual(await sent({ env: six, serviceAccount: path }), { server: "https://[fd00::1]:443", ...account })
})

test("a context that is asked for is looked for in ~/.kube/config, also in a pod", async (t) => {
  const { path, write } = temporaryFolder(t)
  await write("token", "of the pod")
  await write(".kube/ca.crt", "CA")
  await write(".kube/config", kubeconfig("one", undefined, "another"))
  const env = { HOME: path, KUBERNETES_SERVICE_HOST: "10.0.0.1" }
  assert.equal((await sent({ env, context: "one", serviceAccount: path })).server, "https://one.example.org")
})

test("of several files the first counts, and what it lacks is taken from the others", async (t) => {
  const { write } = temporaryFolder(t)
  for (const folder of ["a", "b"]) await write(`${folder}/ca.crt`, `CA of ${folder}`)
  const files = [
    await write("a/config", kubeconfig("one", undefined, "two")),
    await write("b/config", kubeconfig("two")),
  ]
  const source = { kubeconfig: `/does/not/exist:${files.join(":")}`, env: {} }
  assert.deepEqual(await sent(source), {
    server: "https://two.example.org",
    namespace: undefined,
    authorization: "Bearer token of two",
    ca: "CA of b",
  })
  await write("b/config", kubeconfig("one").replace("https://one.", "https://later."))
  assert.equal((await sent({ ...source, context: "one" })).server, "https://one.example.org")
})

test("a token file of a user is read, in its folder", async (t) => {
  const { write } = temporaryFolder(t)
  await write("ca.crt", "CA")
  await write("secrets/token", "from a file")
  const file = await write("config", kubeconfig("one", { tokenFile: "secrets/token" }))
  assert.equal((await sent({ kubeconfig: file, env: {} })).authorization, "Bearer from a file")
})

test("a kubeconfig from a pipe is read once, and is there when credentials are renewed", async (t) => {
  const { path, write } = temporaryFolder(t)
  await write("ca.crt", "CA")
  await write("content", kubeconfig("one"))
  assert.equal(spawnSync("mkfifo", [`${path}/pipe`]).status, 0)
  const written = once(spawn("sh", ["-c", `cat ${path}/content > ${path}/pipe`]), "close")
  const source = { kubeconfig: `${path}/pipe`, env: {} }
  assert.equal((await sent(source)).server, "https://one.example.org")
  await written
  assert.equal((await sent(source)).server, "https://one.example.org")
})

test("names what is wrong with a kubeconfig", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = `${path}/config`
  const fails = (context: string | undefined, message: string): Promise<void> =>
    assert.rejects(readKubeconfig({ kubeconfig: file, env: {}, context }), { message })
  await fails(undefined, `--kubeconfig: there is no file ${file}`)
  await assert.rejects(readKubeconfig({ env: { HOME: path }, serviceAccount: "/does/not/exist" }), {
    message: `--kubeconfig: is needed: this is no pod with a service account, and there is no ${path}/.kube/config`,
  })
  await write("config", "users:\n- user:\n    token: secret: x\n")
  const reason = "Nested mappings are not allowed in compact mappings at line 3, column 12"
  await fails(undefined, `--kubeconfig: ${file} is no usable kubeconfig: ${reason}`)
  await write("config", kubeconfig("one"))
  await fails("two", `--context: ${file} has no context two; it has: one`)
  await write("config", kubeconfig("one", undefined, ""))
  await fails(undefined, `--context: ${file} names no current-context; it has: one`)
  await write("config", kubeconfig("one").replace('"user":"one"', '"user":"gone"'))
  await fails(undefined, `--kubeconfig: ${file} is no usable kubeconfig: its context names no user in it`)
  await write("config", kubeconfig("one").replace('"cluster":"one"', '"cluster":"gone"'))
  await fails(undefined, `--kubeconfig: ${file} is no usable kubeconfig: its context names no cluster in it`)
  for (const text of ["", "[1, 2]", "text"]) {
    await write("config", text)
    await fails(undefined, `--kubeconfig: ${file} is no usable kubeconfig: it has no contexts`)
  }
  await write("config", kubeconfig("one").replace(/"server":"[^"]*",/, ""))
  await fails(undefined, `--kubeconfig: ${file} is no usable kubeconfig: clusters[0].cluster.server is missing`)
})
