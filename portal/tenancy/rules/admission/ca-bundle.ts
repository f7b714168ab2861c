import type { Registry } from "prom-client"
import { Gauge } from "prom-client"
import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import { reloadOnChange } from "#core/files/reload.ts"
import type { TlsConfig } from "#core/http/web/tls.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import type { KubernetesObject, Resource } from "#core/kubernetes/resource.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { pause } from "#core/retry/backoff.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { type Bundle, certificatesIn, isTrusted, nextBundle, readAuthorities } from "./authorities.ts"

export interface CaBundleOptions {
  readonly api: KubernetesApi
  /** Of the ValidatingWebhookConfiguration. */
  readonly name: string
  /** Holds the authorities that the webhook's certificates are of. */
  readonly file: string
  readonly registry: Registry
  readonly log: Logger
  readonly now: () => Date
}

export interface CaBundle extends Closable {
  /** For the replica that may write: keeps the API trusting the authorities of the file until aborted. Never rejects. */
  keep(signal: AbortSignal): Promise<void>
  /** Resolves when the API trusts this certificate, or after five minutes. */
  trusted(next: TlsConfig, signal: AbortSignal): Promise<void>
}

/** https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/validating-webhook-configuration-v1/ */
interface Configuration extends KubernetesObject {
  readonly webhooks?: readonly { readonly clientConfig: { readonly caBundle?: string } }[]
}

const CONFIGURATIONS: Resource<Configuration> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural: "validatingwebhookconfigurations",
  kind: "ValidatingWebhookConfiguration",
}

export const ROTATED = "fedstack.dev/ca-rotated"

/** Seconds: who applies the manifest again removes the bundle. */
const RESYNC = 30
const RETRY = 3
const LONGEST_WAIT = 300
/** Of the API, from a change of the configuration to its use. */
const API_DELAY = 2

/** Follows the file of the authorities. Throws ConfigurationError where it cannot be read at the start. */
export async function openCaBundle(options: CaBundleOptions): Promise<CaBundle> {
  const { api, name, file, registry, log, now } = options
  const configurations = objectsOf(api, CONFIGURATIONS)
  let wake = (): void => undefined
  const authorities = await reloadOnChange({
    config: "admission_ca",
    name: "authorities of the admission webhook",
    load: (readText) => readAuthorities(file, readText),
    apply: () => wake(),
    log,
    registry,
  })
  const current = new Gauge({
    name: "fedstack_rules_admission_ca_bundle_current",
    help: "1 while the Kubernetes API trusts the authorities of --web.admission.ca-file; of the active replica.",
    registers: [registry],
  })
  const logProblem = logChanges((reason?: string) => {
    if (reason === undefined) log.info({ configuration: name }, "the Kubernetes API trusts the admission webhook")
    else log.warn({ configuration: name, reason }, "keeping the caBundle of the admission webhook failed, retrying")
  })

  async function read(signal: AbortSignal): Promise<Configuration> {
    const found = await configurations.get({ name }, signal)
    if (found !== undefined) return found
    throw new Error(
      `there is no ValidatingWebhookConfiguration ${name}: apply portal/kubernetes/rules-informer/webhook.yaml`,
    )
  }

  async function reconcile(signal: AbortSignal): Promise<void> {
    const configuration = await read(signal)
    const next = nextBundle(bundleOf(configuration), authorities.current(), now())
    if (next === undefined) return
    const { resourceVersion } = configuration.metadata
    const annotations = { [ROTATED]: next.rotated?.toISOString() }
    const caBundle = Buffer.from(next.authorities.map(String).join("")).toString("base64")
    const webhooks = (configuration.webhooks ?? []).map((webhook) => ({
      ...webhook,
      clientConfig: { ...webhook.clientConfig, caBundle },
    }))
    const value = { metadata: { resourceVersion, annotations }, webhooks }
    await configurations.patch({ name }, { type: "merge", value }, signal)
    log.info({ configuration: name, authorities: next.authorities.length }, "caBundle of the admission webhook written")
  }

  return {
    async keep(signal) {
      while (!signal.aborted) {
        const woken = new AbortController()
        wake = () => woken.abort()
        let problem: string | undefined
        try {
          await reconcile(signal)
        } catch (error) {
          if (signal.aborted) break
          problem = explain(error)
        }
        logProblem(problem)
        current.set(problem === undefined ? 1 : 0)
        await pause(problem === undefined ? RESYNC : RETRY, AbortSignal.any([signal, woken.signal]))
      }
      current.set(0)
    },
    async trusted(next, signal) {
      const chain = certificatesIn(String(next.context.cert))
      using deadline = new Deadline(LONGEST_WAIT, signal)
      while (!deadline.signal.aborted) {
        const configuration = await read(deadline.signal).catch(() => undefined)
        if (configuration !== undefined && isTrusted(chain, bundleOf(configuration).authorities))
          return await pause(API_DELAY, signal)
        await pause(1, deadline.signal)
      }
      if (deadline.exceeded)
        log.warn(
          { configuration: name },
          "the Kubernetes API does not trust the new certificate of the webhook, serving it",
        )
    },
    close: () => authorities.close(),
  }
}

/** Those that all webhooks of the configuration trust. */
function bundleOf({ metadata, webhooks = [] }: Configuration): Bundle {
  const bundles = webhooks.map(({ clientConfig: { caBundle = "" } }) => Buffer.from(caBundle, "base64").toString())
  const [first = "", ...others] = bundles
  const authorities = others.every((other) => other === first) ? certificatesIn(first) : []
  const rotated = new Date(metadata.annotations?.[ROTATED] ?? "")
  return { authorities, rotated: Number.isNaN(rotated.getTime()) ? undefined : rotated }
}
