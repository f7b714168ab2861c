import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { chmod, mkdir } from "node:fs/promises"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import {
  AWS,
  CLUSTER_VERSION,
  FORBIDDEN,
  INFRASTRUCTURE,
  KUBE_SYSTEM,
  list,
  machine,
  MACHINES,
  NODES,
  object,
  type Routes,
  runIdentity,
  served,
  serveCluster,
} from "./testing.ts"

const KEY_ID = "AKIAIOSFODNN7EXAMPLE"
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfi%CYEXAMPLE="

async function prepare(
  t: TestContext,
  routes: Routes = { [INFRASTRUCTURE]: AWS },
  keys: readonly [string, string] = [`${KEY_ID}\n`, SECRET],
) {
  const cluster = await serveCluster(t, routes)
  const { path, write, kubeconfig } = cluster
  await write("rawsecrets/aws_access_key_id", keys[0])
  await write("rawsecrets/aws_secret_access_key", keys[1])
  return {
    ...cluster,
    /** What it printed, with the folder left out; nothing of it is a secret. */
    run: async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await runIdentity([...cluster.args, ...args], { KUBECONFIG: kubeconfig })
      for (const secret of [KEY_ID, SECRET]) assert.ok(!`${stdout}${stderr}`.includes(secret))
      const bare = (text: string): string =>
        text.replaceAll(`${path}/`, "/").replaceAll(/^ts=\S+ level=warn component=cluster-identity /gm, "")
      return { code, stdout: bare(stdout), stderr: bare(stderr) }
    },
    files: () =>
      Object.fromEntries(
        FILES.filter((name) => existsSync(join(path, name))).map((name) => [
          name,
          readFileSync(join(path, name), "utf8"),
        ]),
      ),
  }
}
const FILES = ["secrets/aws/credentials.ini", "secrets/aws/config.ini", "config/env/CLUSTERID"]
const GOLDEN = Object.fromEntries(
  FILES.map((name) => [name, readFileSync(join(import.meta.dirname, "testdata/golden", name), "utf8")]),
)
const { [FILES[0] ?? ""]: _, ...WITHOUT_CREDENTIALS } = GOLDEN

test("writes the original's three files, byte for byte, and one line about them", async (t) => {
  const { run, files, path } = await prepare(t)
  assert.deepEqual(await run(), {
    code: 0,
    stdout:
      "cluster id demo-x7k2p (infrastructures.config.openshift.io/cluster), region eu-central-1 (infrastructures.config.openshift.io/cluster); wrote /secrets/aws/credentials.ini, /secrets/aws/config.ini, /config/env/CLUSTERID; credentials from /rawsecrets/aws_access_key_id and /rawsecrets/aws_secret_access_key\n",
    stderr: "",
  })
  assert.deepEqual(files(), GOLDEN)
  assert.deepEqual(
    [...FILES, "secrets", "config/env"].map((name) => statSync(join(path, name)).mode & 0o7777),
    [0o600, 0o600, 0o600, 0o755, 0o755],
  )
})

test("by the rights of the original alone it writes the same from the first Machine", async (t) => {
  const routes = {
    [INFRASTRUCTURE]: FORBIDDEN,
    [MACHINES]: list(
      machine("worker-b", { placement: { region: "us-east-1" } }, {}),
      machine("master-a", { placement: { region: "eu-central-1" } }),
    ),
  }
  const { run, files } = await prepare(t, routes)
  const { code, stdout } = await run()
  assert.deepEqual(
    [code, stdout.split(";")[0]],
    [0, "cluster id demo-x7k2p (the first Machine), region eu-central-1 (the first Machine)"],
  )
  assert.deepEqual(files(), GOLDEN)
})

test("leaves alone what is right already, and writes only what a rotation changed", async (t) => {
  const { run, files, path, write } = await prepare(t)
  await run()
  const times = () => FILES.map((name) => statSync(join(path, name), { bigint: true }).mtimeNs)
  const before = times()
  assert.match(
    (await run()).stdout,
    /; unchanged: [^;]*credentials.ini, [^;]*config.ini, [^;]*CLUSTERID; credentials from/,
  )
  assert.deepEqual(times(), before)
  await write("rawsecrets/aws_access_key_id", "AKIA2")
  assert.match((await run()).stdout, /; wrote [^,;]*credentials.ini; unchanged: [^;]*config.ini, [^;]*CLUSTERID; /)
  assert.deepEqual(files()[FILES[0] ?? ""], GOLDEN[FILES[0] ?? ""]?.replace(KEY_ID, "AKIA2"))
  assert.deepEqual(times().slice(1), before.slice(1))
})

test("writes with the mode and the group that are asked for", async (t) => {
  const { run, path } = await prepare(t)
  // only root may give files to a group that it is not in
  const group = process.geteuid?.() === 0 ? 12_345 : process.getgid?.()
  const { code } = await run("--mode=0640", "--dir-mode=0750", `--group=${group}`)
  assert.equal(code, 0)
  for (const name of [...FILES, "secrets", "secrets/aws"]) assert.equal(statSync(join(path, name)).gid, group, name)
  assert.deepEqual(
    [...FILES, "secrets", "secrets/aws"].map((name) => statSync(join(path, name)).mode & 0o7777),
    [0o640, 0o640, 0o640, 0o750, 0o750],
  )
})

test("a dry run shows what would be written and writes nothing", async (t) => {
  const { run, files } = await prepare(t)
  const { code, stdout } = await run("--dry-run", "--output-format=json")
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), {
    cluster_id: "demo-x7k2p",
    cluster_id_source: "infrastructures.config.openshift.io/cluster",
    platform: "AWS",
    region: "eu-central-1",
    region_source: "infrastructures.config.openshift.io/cluster",
    credentials_source: "/rawsecrets/aws_access_key_id and /rawsecrets/aws_secret_access_key",
    files: FILES.map((name) => ({ path: `/${name}`, state: "would_write" })),
  })
  assert.deepEqual(files(), {})
})

test("copies a ready-made file of credentials, as those of STS, byte for byte", async (t) => {
  const { run, files, path, write } = await prepare(t)
  const ready = "[default]\nrole_arn = arn:aws:iam::1:role/a\nweb_identity_token_file = /var/run/token\n\n"
  await write("sts/credentials", ready)
  assert.equal((await run(`--credentials-source=${path}/sts/credentials`)).code, 0)
  assert.deepEqual(files(), { ...GOLDEN, [FILES[0] ?? ""]: ready })
})

test("without any source of credentials it fails and writes nothing, unless they are optional; the region is written then", async (t) => {
  const { args, path, kubeconfig, files } = await prepare(t)
  const bare = args.map((arg) => arg.replace("/rawsecrets/", "/nowhere/"))
  const refused = await runIdentity(bare, { KUBECONFIG: kubeconfig })
  assert.deepEqual(
    [refused.code, refused.stdout, refused.stderr.replaceAll(path, "")],
    [
      3,
      "",
      "fedstack: credentials: there is no file /nowhere/aws_access_key_id or /nowhere/aws_secret_access_key; mount the secret, or go without by --optional-credentials\n",
    ],
  )
  assert.deepEqual(files(), {})
  const { code, stdout } = await runIdentity([...bare, "--optional-credentials"], { KUBECONFIG: kubeconfig })
  assert.equal(code, 0)
  assert.match(stdout, /; not written: \S+credentials.ini \(there is no file \S+ or \S+\)\n$/)
  assert.deepEqual(files(), WITHOUT_CREDENTIALS)
})

const azure = object({ status: { infrastructureName: "demo-x7k2p", platformStatus: { type: "Azure" } } })
const PLAIN = {
  [INFRASTRUCTURE]: FORBIDDEN,
  [MACHINES]: FORBIDDEN,
  [KUBE_SYSTEM]: object({ metadata: { name: "kube-system", uid: "5f0c" } }),
}

/** What is served, the arguments, and `cluster id (source), region (source)`. */
const SOURCES: readonly (readonly [name: string, routes: Routes, args: readonly string[], first: string])[] = [
  [
    "reads the region of Azure from a Machine",
    { [INFRASTRUCTURE]: azure, [MACHINES]: list(machine("a", { location: "westeurope" })) },
    [],
    "cluster id demo-x7k2p (infrastructures.config.openshift.io/cluster), region westeurope (the first Machine)",
  ],
  [
    "reads the UUID where that is wanted",
    { [INFRASTRUCTURE]: AWS, [CLUSTER_VERSION]: object({ spec: { clusterID: "0b5a" } }) },
    ["--cluster-id-source=clusterversion"],
    "cluster id 0b5a (clusterversions.config.openshift.io/version), region eu-central-1 (infrastructures.config.openshift.io/cluster)",
  ],
  [
    "reads Machines of another namespace, and nothing else",
    { [MACHINES.replace("openshift-machine-api", "other")]: list(machine("a", { region: "europe-west1" })) },
    ["--cluster-id-source=machine", "-n", "other"],
    "cluster id demo-x7k2p (the first Machine), region europe-west1 (the first Machine)",
  ],
  [
    "on plain Kubernetes reads the UID of kube-system and the label of the first node that has one",
    {
      ...PLAIN,
      [NODES]: list(
        { metadata: { name: "b", labels: { "topology.kubernetes.io/region": "fra" } } },
        { metadata: { name: "a", labels: {} } },
        { metadata: { name: "c", labels: { "topology.kubernetes.io/region": "ams" } } },
      ),
    },
    [],
    "cluster id 5f0c (namespaces/kube-system), region fra (the label of the first node)",
  ],
  [
    "goes on without a region where none needs to be",
    { [INFRASTRUCTURE]: object({ status: { infrastructureName: "metal", platformStatus: { type: "None" } } }) },
    [],
    "cluster id metal (infrastructures.config.openshift.io/cluster), no region",
  ],
  [
    "writes a region that is given",
    { ...PLAIN, [NODES]: FORBIDDEN },
    ["--region=eu-x"],
    "cluster id 5f0c (namespaces/kube-system), region eu-x (--region)",
  ],
  [
    "waits for an API that fails, in every way that may go by",
    {
      [INFRASTRUCTURE]: [
        { status: 503, body: {} },
        { status: 429, headers: { "retry-after": "0" }, body: {} },
        { fault: "reset" },
        AWS,
      ],
    },
    [],
    "cluster id demo-x7k2p (infrastructures.config.openshift.io/cluster), region eu-central-1 (infrastructures.config.openshift.io/cluster)",
  ],
]
for (const [name, routes, args, expected] of SOURCES) {
  test(name, async (t) => {
    const { run } = await prepare(t, routes)
    const { code, stdout, stderr } = await run(...args)
    assert.deepEqual([code, stdout.split(";")[0]], [0, expected], stderr)
  })
}

const rule = (verb: string, resource: string, group: string, about: string): string =>
  `Kubernetes refused to ${about} (403): the account needs the rule {apiGroups: ["${group}"], resources: [${resource}], verbs: [${verb}]}. Response: forbidden`
const infrastructureRule = rule(
  "get",
  "infrastructures",
  "config.openshift.io",
  "get infrastructures.config.openshift.io cluster",
)
const machinesRule = rule(
  "list",
  "machines",
  "machine.openshift.io",
  "list machines.machine.openshift.io in the namespace openshift-machine-api",
)
const openshift = {
  ...served("config.openshift.io", "v1", "infrastructures"),
  ...served("machine.openshift.io", "v1beta1", "machines"),
}
const noMachines = "there are no machines.machine.openshift.io in the namespace openshift-machine-api"

const FAULTS: readonly (readonly [
  name: string,
  routes: Routes,
  args: readonly string[],
  code: number,
  stderr: string,
])[] = [
  [
    "no right on anything",
    { ...openshift, [INFRASTRUCTURE]: FORBIDDEN, [MACHINES]: FORBIDDEN },
    [],
    4,
    `${infrastructureRule}; ${machinesRule}`,
  ],
  [
    "no right on what holds the region",
    { [INFRASTRUCTURE]: azure, [MACHINES]: FORBIDDEN },
    [],
    4,
    `infrastructures.config.openshift.io/cluster has no region; ${machinesRule}`,
  ],
  [
    "credentials of the account that are refused",
    { [INFRASTRUCTURE]: { status: 401, body: { message: "Unauthorized" } } },
    [],
    4,
    "Kubernetes refused to get infrastructures.config.openshift.io cluster (401): the credentials of the kubeconfig or service account are not valid. Response: Unauthorized",
  ],
  [
    "an API that fails all the time",
    { [INFRASTRUCTURE]: { status: 500, body: { message: "etcd" } } },
    ["--timeout=1s"],
    5,
    "the Kubernetes API did not respond within 1 s: Kubernetes cannot get infrastructures.config.openshift.io cluster (500). Response: etcd",
  ],
  [
    "an API that never responds",
    { [INFRASTRUCTURE]: { fault: "silence" } },
    ["--timeout=1s"],
    5,
    "the Kubernetes API did not respond within 1 s",
  ],
  [
    "a request that the API does not understand",
    { [INFRASTRUCTURE]: { status: 400, body: { message: "bad" } } },
    [],
    5,
    "Kubernetes cannot get infrastructures.config.openshift.io cluster (400). Response: bad",
  ],
  [
    "no machines",
    { [MACHINES]: list() },
    ["--cluster-id-source=machine"],
    6,
    `the cluster id was not found: ${noMachines}`,
  ],
  [
    "a Machine without the label",
    { [MACHINES]: list(machine("a", {}, {})) },
    ["--cluster-id-source=machine"],
    6,
    "the cluster id was not found: the first Machine has no cluster id",
  ],
  [
    "no region where there must be one",
    { [INFRASTRUCTURE]: azure, [MACHINES]: list() },
    [],
    6,
    `the region was not found: infrastructures.config.openshift.io/cluster has no region; ${noMachines}; --region sets it`,
  ],
  [
    "an id of several lines",
    { [INFRASTRUCTURE]: object({ status: { infrastructureName: "a\nb" } }) },
    [],
    6,
    "the cluster id that the cluster names holds a control character or several lines, which an ini file cannot hold",
  ],
]
for (const [name, routes, args, code, message] of FAULTS) {
  test(`${name}: exit code ${code}, why, and no file`, async (t) => {
    const { run, files } = await prepare(t, routes)
    const outcome = await run(...args)
    const stderr = outcome.stderr.replace(/^msg="reading the cluster failed, retrying".*\n/gm, "")
    assert.deepEqual({ ...outcome, stderr }, { code, stdout: "", stderr: `fedstack: ${message}\n` })
    assert.deepEqual(files(), {})
  })
}

test("a 403 is not retried", async (t) => {
  const { run, requests } = await prepare(t, { ...openshift, [INFRASTRUCTURE]: FORBIDDEN, [MACHINES]: FORBIDDEN })
  await run()
  assert.deepEqual(
    [INFRASTRUCTURE, MACHINES].map((path) => requests.filter((request) => request === path).length),
    [1, 1],
  )
})

const KEYS: readonly (readonly [name: string, keys: readonly [string, string], reason: string])[] = [
  ["an empty key", ["\n", SECRET], "/rawsecrets/aws_access_key_id is empty"],
  [
    "a key of two lines",
    [KEY_ID, `${SECRET}\nx = y\n`],
    "the content of /rawsecrets/aws_secret_access_key holds a control character or several lines, which an ini file cannot hold",
  ],
  [
    "a key with a blank at its end",
    [`${KEY_ID} `, SECRET],
    "the content of /rawsecrets/aws_access_key_id begins or ends with a blank, which an ini file cannot hold",
  ],
  [
    "a key that would end as a comment",
    [KEY_ID, `${SECRET} #x`],
    "the content of /rawsecrets/aws_secret_access_key holds a blank before # or ;, or begins so, which an ini file reads as a comment",
  ],
]
for (const [name, keys, reason] of KEYS) {
  test(`${name}: exit code 3, why, and no file`, async (t) => {
    const { run, files } = await prepare(t, undefined, keys)
    assert.deepEqual(await run("--optional-credentials"), {
      code: 3,
      stdout: "",
      stderr: `fedstack: credentials: ${reason}\n`,
    })
    assert.deepEqual(files(), {})
  })
}

test("a folder that is a file: exit code 7, why, and no file", async (t) => {
  const { run, files, write } = await prepare(t)
  await write("config", "")
  const { code, stderr } = await run()
  assert.equal(code, 7)
  assert.match(stderr, /^fedstack: the files were not written: ENOTDIR: not a directory, mkdir '\/config\/env'\n$/)
  assert.deepEqual(files(), {})
})

test("keeps the old set where one file cannot be replaced", async (t) => {
  const { run, files, path } = await prepare(t)
  await mkdir(join(path, "config/env/CLUSTERID/full"), { recursive: true })
  const { code } = await run()
  assert.equal(code, 7)
  assert.deepEqual(readdirSync(join(path, "secrets/aws")), [])
  await chmod(path, 0o700)
  assert.ok(!existsSync(join(path, FILES[0] ?? "")))
  assert.throws(files, { code: "EISDIR" })
})

test("writes relative to the folder that it runs in", async (t) => {
  const { run, path } = await prepare(t)
  const here = process.cwd()
  process.chdir(path)
  t.after(() => process.chdir(here))
  assert.equal((await run("-c", "CLUSTERID")).code, 0)
  assert.equal(readFileSync(join(path, "CLUSTERID"), "utf8"), GOLDEN[FILES[2] ?? ""])
})
