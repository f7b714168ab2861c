import { single, truth } from "../family.ts"
import { field } from "../fields.ts"
import { type Kind, KUADRANT } from "../kind.ts"

const healthy = field("status.healthy")

export const dnsHealthCheckProbe: Kind = {
  kind: "DNSHealthCheckProbe",
  plural: "dnshealthcheckprobes",
  groups: [KUADRANT],
  prefix: "kuadrant_dnshealthcheckprobe",
  families: [
    single("healthy_status", "1 if the probe found its endpoint healthy, else 0.", (object) => truth(healthy(object))),
  ],
}
