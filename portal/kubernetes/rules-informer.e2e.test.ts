import { testManifests } from "./testing.ts"

testManifests({
  name: "rules-informer",
  kinds: [
    "serviceaccount",
    "role.rbac.authorization.k8s.io",
    "rolebinding.rbac.authorization.k8s.io",
    "service",
    "deployment.apps",
    "poddisruptionbudget.policy",
    "networkpolicy.networking.k8s.io",
  ],
  rights: [
    "create leases.coordination.k8s.io",
    "create, patch events.events.k8s.io",
    "get, list, watch, patch openmetricsrules.open-metrics.vgs.io",
    "get, update leases.coordination.k8s.io",
    "patch openmetricsrules/status.open-metrics.vgs.io",
  ],
  ports: { metrics: 20_093, admission: 20_094 },
  served: ["metrics"],
  addresses: ["--web.listen-address=:20093"],
  replicas: 2,
})
