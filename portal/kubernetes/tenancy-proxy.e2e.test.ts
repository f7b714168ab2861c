import { testManifests } from "./testing.ts"

testManifests({
  name: "tenancy-proxy",
  kinds: [
    "serviceaccount",
    "role.rbac.authorization.k8s.io",
    "rolebinding.rbac.authorization.k8s.io",
    "service",
    "deployment.apps",
    "poddisruptionbudget.policy",
    "horizontalpodautoscaler.autoscaling",
    "networkpolicy.networking.k8s.io",
  ],
  rights: ["list, watch openmetricsrules.open-metrics.vgs.io"],
  ports: { http: 19_093, metrics: 19_092 },
  addresses: ["--web.listen-address=:19093", "--admin.listen-address=:19092"],
})
