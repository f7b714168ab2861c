import type { Registry } from "prom-client"
import { closeAll } from "#core/closable.ts"
import type { Address, Values } from "#core/config/settings.ts"
import { ConfigurationError, UsageError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { serve, type Served } from "#core/http/server.ts"
import { readWebConfig } from "#core/http/web/config.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import type { Logger } from "#core/log/logger.ts"
import { openCaBundle } from "./ca-bundle.ts"
import type { Judging } from "./judge.ts"
import { createAdmissionMetrics } from "./metrics.ts"
import { addAdmission } from "./serve-admission.ts"
import type { admissionSettings } from "./settings.ts"

type AdmissionValues = Values<typeof admissionSettings>

export interface AdmissionOptions extends Judging {
  readonly values: AdmissionValues
  readonly api: KubernetesApi
  readonly registry: Registry
  readonly log: Logger
  readonly now: () => Date
}

/** Serves on every replica. */
export interface Admission extends Served {
  /** For the holder of the lease: has the Kubernetes API trust the certificate. Ends when aborted; never rejects. */
  keepTrusted(signal: AbortSignal): Promise<void>
}

/** The validating webhook; undefined where it is not set. Throws UsageError and ConfigurationError. */
export async function openAdmission(options: AdmissionOptions): Promise<Admission | undefined> {
  const { values, api, registry, log, now } = options
  const address = addressOf(values)
  if (address === undefined) return undefined
  await requireTls(values.webAdmissionConfigFile ?? "")
  const metrics = createAdmissionMetrics(registry)
  const { webAdmissionCaFile: file, webAdmissionConfiguration: name } = values
  const bundle = file === undefined ? undefined : await openCaBundle({ api, name, file, registry, log, now })
  try {
    const served = await serve({
      addresses: [address],
      flag: "--web.admission",
      webConfigFile: values.webAdmissionConfigFile,
      refuseBasicAuth: "the Kubernetes API has no user; let it show a client certificate",
      ...(bundle === undefined ? {} : { beforeCertificate: (next, closing) => bundle.trusted(next, closing) }),
      registry,
      log,
      routes: (app, closing) =>
        addAdmission(app, { ...options, metrics, milliseconds: () => performance.now() }, closing),
    })
    return {
      ...served,
      keepTrusted: async (signal) => bundle?.keep(signal),
      close: () => closeAll(bundle === undefined ? [served] : [served, bundle]),
    }
  } catch (error) {
    await bundle?.close()
    throw error
  }
}

function addressOf({ webAdmission, webAdmissionConfigFile, webAdmissionCaFile }: AdmissionValues): Address | undefined {
  const fault = (where: string, message: string) => new UsageError([{ where, message }])
  if (webAdmission !== undefined && webAdmissionConfigFile === undefined)
    throw fault("--web.admission", "needs --web.admission.config.file: the Kubernetes API calls webhooks by HTTPS only")
  if (webAdmission === undefined && webAdmissionConfigFile !== undefined)
    throw fault("--web.admission.config.file", "needs --web.admission: where to listen")
  if (webAdmission === undefined && webAdmissionCaFile !== undefined)
    throw fault("--web.admission.ca-file", "needs --web.admission: where to listen")
  return webAdmission
}

async function requireTls(file: string): Promise<void> {
  const { tls } = await readWebConfig(file, readText)
  if (tls !== undefined) return
  const message = "is missing: the Kubernetes API calls webhooks by HTTPS only"
  throw new ConfigurationError([{ where: `${file} tls_server_config`, message }])
}
