import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { connect } from "node:tls"
import { Registry } from "prom-client"
import { parseAllDocuments } from "yaml"
import { openKubernetes } from "#core/kubernetes/api.ts"
import { createLogger } from "#core/log/logger.ts"
import { type Authority, makeAuthority } from "../../../../dev/testing/certificates.ts"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { findKubernetes, startKubernetes } from "../../../../dev/testing/kubernetes.ts"
import { until } from "../../../../dev/testing/until.ts"
import { targetOf } from "../validation/targets.ts"
import { validateGroupInSteps } from "../validation/validate-group.ts"
import { openAdmission } from "./open-admission.ts"
import { ADMISSION_PATH } from "./serve-admission.ts"
import { group, resource } from "./testing.ts"

const MANIFESTS = join(import.meta.dirname, "../../../kubernetes")
const NAME = "rules-informer"
const BAD = resource([group("node", "up == 0", "sum(up"), group("twice", "up"), group("twice", "up")])

test("a real Kubernetes API has resources checked", { timeout: 300_000 }, async (t) => {
  const kube = need(t, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(t, kube)
  const { kubectl } = kubernetes
  const apply = (...objects: readonly object[]): Promise<string> =>
    kubectl(["apply", "-f", "-"], objects.map((object) => JSON.stringify(object)).join("\n---\n"))
  const refusal = (...objects: readonly object[]): Promise<string> =>
    apply(...objects).then(
      () => assert.fail("it was accepted"),
      (error: { stderr: string }) => error.stderr,
    )
  await kubectl(["apply", "-f", join(MANIFESTS, "openmetricsrule/customresourcedefinition.yaml")])
  await kubectl(["wait", "--for=condition=Established", "crd/openmetricsrules.open-metrics.vgs.io"])
  for (const namespace of ["x", "tenancy"]) await kubectl(["create", "namespace", namespace])

  const folder = temporaryFolder(t)
  const writePair = async (authority: Authority): Promise<string> => {
    const { cert, key } = authority.issue({ name: "webhook", sans: ["IP:127.0.0.1"] })
    await folder.write("tls.key", key)
    await folder.write("tls.crt", cert)
    await folder.write("ca.crt", authority.cert)
    return new X509Certificate(cert).serialNumber
  }
  await writePair(makeAuthority("first"))
  const lines: string[] = []
  const log = createLogger({ level: "debug", format: "logfmt" }, "test", (line) => lines.push(line))
  const api = await openKubernetes({ kubeconfig: await kubernetes.account("tenancy/rules-informer"), env: {} })
  t.after(() => api.close())
  let clock = Date.now()
  const target = targetOf("cortex-1.21")
  const registry = new Registry()
  const values = {
    webAdmission: { host: "127.0.0.1", port: 0 },
    webAdmissionConfigFile: await folder.write(
      "web.yml",
      "tls_server_config: { cert_file: tls.crt, key_file: tls.key }\n",
    ),
    webAdmissionCaFile: join(folder.path, "ca.crt"),
    webAdmissionConfiguration: NAME,
  }
  const validate = (given: unknown) => validateGroupInSteps(given, target)
  const admission = await openAdmission({
    ...{ values, api, registry, log, validate },
    target: () => target.name,
    now: () => new Date(clock),
  })
  assert.ok(admission)
  const port = admission.addresses[0]?.port ?? 0
  const [configuration, ...others] = parseAllDocuments(
    await readFile(join(MANIFESTS, NAME, "webhook.yaml"), "utf8"),
  ).map((document): unknown => document.toJS())
  const { webhooks, ...rest } = configuration as { readonly webhooks: readonly object[] }
  const configure = (failurePolicy: string): Promise<string> =>
    apply(...(others as object[]), {
      ...rest,
      webhooks: webhooks.map((webhook) => ({
        ...webhook,
        failurePolicy,
        clientConfig: { url: `https://127.0.0.1:${port}${ADMISSION_PATH}` },
      })),
    })
  /** Subjects of the authorities that the API trusts. */
  const bundle = async (): Promise<readonly string[]> => {
    const encoded = await kubectl([
      "get",
      `validatingwebhookconfiguration/${NAME}`,
      "-o=jsonpath={.webhooks[0].clientConfig.caBundle}",
    ])
    const blocks = Buffer.from(encoded, "base64")
      .toString()
      .split(/(?<=-----END CERTIFICATE-----\n)/)
    return blocks.filter((block) => block !== "").map((block) => new X509Certificate(block).subject)
  }
  const trusts = (...names: readonly string[]) =>
    until(`the caBundle ${names.join()}`, async () => {
      assert.deepEqual(
        await bundle(),
        names.map((name) => `CN=${name}`),
      )
      return true
    })

  await apply({ ...BAD, metadata: { ...BAD.metadata, name: "old" } })
  await configure("Ignore")
  const keep = () => {
    const stop = new AbortController()
    const keeping = admission.keepTrusted(stop.signal)
    return async (): Promise<void> => {
      stop.abort()
      await keeping
    }
  }
  let stopKeeping = keep()
  t.after(() => stopKeeping())
  await trusts("first")

  await t.test("kubectl apply shows every problem of what is denied", async () => {
    const text = await until("a denial", async () => {
      const refused = await refusal(BAD)
      return refused.includes("denied the request") ? refused : undefined
    })
    assert.equal(
      text.replace(/^.*?(?=admission webhook)/s, ""),
      `admission webhook "openmetricsrules.fedstack.dev" denied the request: 2 problems for cortex-1.21:
  groups[2] has the name "twice", as groups[1] has
  group "node" rules[1].expr (alert "Is sum(up"), character 7: unexpected end, ) is missing\n`,
    )
  })

  await t.test("kubectl apply shows what is accepted and lost as a warning", async () => {
    const dropped = resource([{ ...group("long", "up == 0"), source_tenants: ["red"] }])
    const shown = await kubectl(["apply", "--warnings-as-errors", "-f", "-"], JSON.stringify(dropped)).then(
      () => assert.fail("there was no warning"),
      (error: { stderr: string }) => error.stderr,
    )
    assert.equal(
      shown,
      'Warning: group "long" source_tenants: is no field of a group for Cortex 1.21 (only Mimir reads it), which drops it without a word; remove it\nerror: 1 warning received\n',
    )
  })

  await t.test("metadata of a resource that is invalid by now can be changed, and it can be deleted", async () => {
    await kubectl(["annotate", "-n", "x", "openmetricsrule/old", "team=a"])
    await kubectl([
      "patch",
      "-n",
      "x",
      "openmetricsrule/old",
      "--type=merge",
      '-p={"metadata":{"finalizers":["a.b/c"]}}',
    ])
    await kubectl(["delete", "-n", "x", "openmetricsrule/old", "--wait=false"])
    await kubectl(["patch", "-n", "x", "openmetricsrule/old", "--type=merge", '-p={"metadata":{"finalizers":null}}'])
    assert.doesNotMatch(await kubectl(["get", "-n", "x", "openmetricsrules", "-o=name"]), /old/)
  })

  await t.test(
    "no request fails while certificate and authority are changed, both of which are trusted for an hour",
    async () => {
      await configure("Fail") // a review that fails denies
      await until("a review", () => apply(resource([group("a", "up == 0")])))
      const done = new AbortController()
      let count = 0
      const applying = (async () => {
        while (!done.signal.aborted) await apply(resource([group("a", `up == ${(count += 1)}`)]))
      })()
      const first = await serialAt(port)
      // the one that may write the caBundle may see its files later than others see theirs
      await stopKeeping()
      const serial = await writePair(makeAuthority("second"))
      await until("the files", () => lines.some((line) => /authorities of the admission webhook reloaded/.test(line)))
      await apply(resource([group("b", "up")]))
      assert.equal(await serialAt(port), first)
      stopKeeping = keep()
      await trusts("second", "first")
      await until("the new certificate", async () => (await serialAt(port)) === serial)
      const before = count
      await until("more reviews", () => count > before + 3)
      done.abort()
      await applying
      clock += 3_600_000
      await folder.write("ca.crt", `# the same\n${await readFile(values.webAdmissionCaFile, "utf8")}`)
      await trusts("second")
      await apply(resource([group("a", "up == -1")]))
      assert.doesNotMatch(lines.join(""), /level=(?:warn|error)/)
    },
  )

  await t.test("everything is accepted while the webhook is down", async () => {
    await configure("Ignore")
    await admission.close()
    assert.match(await apply(BAD), /openmetricsrule.open-metrics.vgs.io\/a configured/)
  })
})

/** The serial number of the certificate that a server shows. */
async function serialAt(port: number): Promise<string | undefined> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false })
  await once(socket, "secureConnect")
  const serial = socket.getPeerX509Certificate()?.serialNumber
  socket.destroy()
  return serial
}
