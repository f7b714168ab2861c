import { duration, inGroup, list, on, type Parse, setting, trimmed, Wrong } from "#core/config/settings.ts"
import { kubernetesSettings, namespace } from "#core/kubernetes/settings.ts"

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors; the API reads it. */
const labelSelector: Parse<string> = (value) =>
  value.trim() === "" ? new Wrong("must be labels such as team=a,env!=dev") : value.trim()

const optional: Parse<string | undefined> = (value) => value.trim() || undefined

/** Which resources are synchronised, and which replica does it. */
export const resourceSettings = {
  resources: inGroup("Resources", {
    namespaces: list(
      namespace,
      {
        flag: "--namespace <name>",
        env: ["FEDSTACK_NAMESPACE", "OPEN_METRICS_INFORMER_NAMESPACE"],
        help: "Synchronise the resources of this namespace; may be repeated",
        defaultText: "its own",
      },
      [],
    ),
    allNamespaces: setting(
      on,
      { flag: "--all-namespaces", help: "Synchronise the resources of all namespaces" },
      "false",
    ),
    namespaceSelector: setting(labelSelector, {
      flag: "--namespace-selector <labels>",
      help: "Synchronise the resources of the namespaces that have these labels, such as team=a,env!=dev",
    }),
    releaseNamespaces: list(
      namespace,
      {
        flag: "--release-namespace <name>",
        help: "Remove the finalizers from the resources of this namespace, which is no longer synchronised, and leave its groups at the rulers; may be repeated",
      },
      [],
    ),
    finalizerDeadline: setting(
      duration(10, 365 * 86_400),
      {
        flag: "--finalizer-deadline <duration>",
        help: "Let a resource be deleted after this time although its groups could not be deleted from the ruler, and report which ones stay there",
      },
      "1h",
    ),
    ...kubernetesSettings,
  }),
  replicas: inGroup("Replicas", {
    leaseName: setting(
      trimmed,
      { flag: "--lease-name <name>", help: "Write only while holding this Lease; replicas share it" },
      "rules-informer",
    ),
    leaseNamespace: setting(namespace, {
      flag: "--lease-namespace <name>",
      help: "Keep the Lease in this namespace",
      defaultText: "its own",
    }),
    leaseDuration: setting(
      duration(3, 3600),
      {
        flag: "--lease-duration <duration>",
        help: "Take over when the active replica has not renewed the Lease for this time",
      },
      "15s",
    ),
    leaseIdentity: setting(optional, {
      flag: "--lease-identity <name>",
      help: "Hold the Lease under this name, which no other replica has",
      defaultText: "host and process",
    }),
  }),
}
