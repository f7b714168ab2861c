import { conditionFamilies } from "../families/conditions.ts"
import { kuadrantPolicy } from "../families/policies.ts"
import { entries, field } from "../fields.ts"
import { label } from "../labels.ts"
import { kind, KUADRANT } from "../kind.ts"

const recordConditions = field("status.recordConditions")

export const dnsPolicy = kind(
  "DNSPolicy",
  "dnspolicies",
  [
    ...kuadrantPolicy,
    ...conditionFamilies({
      suffix: "status_records",
      of: "the DNS records of a root host",
      verdicts: (object) =>
        entries(recordConditions(object)).map(([host, conditions]) => ({
          labels: label("root_host", host),
          conditions,
        })),
    }),
  ],
  [KUADRANT],
)
