import { type Parse, setting, text, trimmed, Wrong } from "#core/config/settings.ts"

/** How a component finds its cluster; openKubernetes() expects them with the environment. */
export const kubernetesSettings = {
  kubeconfig: setting(text, {
    flag: "--kubeconfig <file>",
    env: ["KUBECONFIG"],
    help: "Read the cluster and the credentials from this file, in place of a pod's service account",
    defaultText: "~/.kube/config outside of a pod",
  }),
  context: setting(trimmed, {
    flag: "--context <name>",
    help: "Use this context of the kubeconfig, in place of a pod's service account",
    defaultText: "the current one",
  }),
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
export const namespace: Parse<string> = (value) =>
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(value) ? value : new Wrong("must be the name of a Kubernetes namespace")
