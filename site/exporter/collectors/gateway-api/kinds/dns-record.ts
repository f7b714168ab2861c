import { conditionFamilies } from "../families/conditions.ts"
import { createdFamily } from "../families/metadata.ts"
import { objectConditions } from "../families/status.ts"
import { info } from "../family.ts"
import { field } from "../fields.ts"
import { type Kind, KUADRANT } from "../kind.ts"

const healthCheckConditions = field("status.healthCheck.conditions")

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
  ],
}
