import { conditionFamilies } from "../families/conditions.ts"
import { createdFamily } from "../families/metadata.ts"
import { objectConditions } from "../families/status.ts"
import { info, labelsOf } from "../family.ts"
import { elements, field } from "../fields.ts"
import { type Kind, KUADRANT } from "../kind.ts"

const healthCheckConditions = field("status.healthCheck.conditions")
const probes = field("status.healthCheck.probes")
const probeLabels = labelsOf({ probe_id: "id", ip_address: "ipAddress", host: "host" })
const conditionsOf = field("conditions")

export const dnsRecord: Kind = {
  kind: "DNSRecord",
  plural: "dnsrecords",
  groups: [KUADRANT],
  prefix: "kuadrant_dnsrecord",
  labels: { rootDomain: "spec.rootHost" },
  families: [
    createdFamily,
    info("status_root_domain_owners", "Ids of the controllers that manage the root domain.", "status.domainOwners", {
      owner: "",
    }),
    ...objectConditions("the record", "object"),
    ...conditionFamilies({
      suffix: "status_health_check",
      of: "the record's health check",
      verdicts: (object) => [{ labels: "", conditions: healthCheckConditions(object) }],
    }),
    ...conditionFamilies({
      suffix: "status_health_check_probes",
      of: "a probe of the record's health check",
      verdicts: (object) =>
        elements(probes(object)).map((probe) => ({ labels: probeLabels(probe), conditions: conditionsOf(probe) })),
    }),
  ],
}
