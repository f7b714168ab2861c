import { setting, text, trimmed } from "#core/config/settings.ts"

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
